/* Special functions of one number, with scipy's meaning. The formulas are of Abramowitz and Stegun,
   Handbook of Mathematical Functions (A&S), and of M. Giles, Approximating the erfinv function (GPU
   Computing Gems, 2010). float32 is computed in float64 where the device has that. */

#define ROOT_PI 1.77245385090551602730
#define ROOT_2 1.41421356237309504880

#define SPECIAL_ERROR(T)                                                                     \
    /* exp(scale x²), made up for what the square loses */                                   \
    DEVICE T special_square_##T(T scale, T x) {                                              \
        T square = x * x;                                                                    \
        return isinf(square) ? exp(scale * square)                                           \
                             : exp(scale * square) * (1 + scale * fma(x, x, -square));       \
    }                                                                                        \
                                                                                             \
    /* exp(x²) erfc(x); far out by the continued fraction A&S 7.1.14 */                      \
    DEVICE T special_erfcx_##T(T x) {                                                        \
        if (x > 4) {                                                                         \
            T tail = x;                                                                      \
            for (int k = 20; k; k--)                                                         \
                tail = x + (T)0.5 * k / tail;                                                \
            return (T)(1 / ROOT_PI) / tail;                                                  \
        }                                                                                    \
        return x < -30 ? (T)INFINITY : special_square_##T(1, x) * erfc(x);                   \
    }                                                                                        \
                                                                                             \
    DEVICE T special_log_ndtr_##T(T x) {                                                     \
        T scaled = (T)0.5 * special_erfcx_##T(fabs(x) / (T)ROOT_2);                          \
        if (x < 0)                                                                           \
            return log(scaled) - (T)0.5 * x * x;                                             \
        return log1p(-scaled * special_square_##T((T)-0.5, x));                              \
    }                                                                                        \
                                                                                             \
    /* where erf is x, for |x| at most a half: Giles's polynomial and one step of Halley's */\
    DEVICE T special_within_##T(T x) {                                                       \
        T w = (T)-2.5 - log1p(-x * x), y = (T)2.81022636e-08;                                \
        y = (T)3.43273939e-07 + y * w;                                                       \
        y = (T)-3.5233877e-06 + y * w;                                                       \
        y = (T)-4.39150654e-06 + y * w;                                                      \
        y = (T)0.00021858087 + y * w;                                                        \
        y = (T)-0.00125372503 + y * w;                                                       \
        y = (T)-0.00417768164 + y * w;                                                       \
        y = (T)0.246640727 + y * w;                                                          \
        y = x * ((T)1.50140941 + y * w);                                                     \
        T step = (erf(y) - x) * (T)(ROOT_PI / 2) * exp(y * y);                               \
        return y - step / (1 + y * step);                                                    \
    }                                                                                        \
                                                                                             \
    /* where erfc is q, for q at most a half: steps of Halley's on its logarithm */          \
    DEVICE T special_beyond_##T(T q) {                                                       \
        T wanted = log(q), y = sqrt(-wanted);                                                \
        for (int k = 0; k < 4; k++) {                                                        \
            T scaled = special_erfcx_##T(y), slope = (T)(2 / ROOT_PI) / scaled;              \
            T step = (log(scaled) - y * y - wanted) / slope;                                 \
            y += step / (1 + step * ((T)0.5 * slope - y));                                   \
        }                                                                                    \
        return q == 0 ? (T)INFINITY : y;                                                     \
    }                                                                                        \
                                                                                             \
    DEVICE T special_erfinv_##T(T x) {                                                       \
        if (fabs(x) > (T)0.5)                                                                \
            return copysign(special_beyond_##T(1 - fabs(x)), x);                             \
        return special_within_##T(x);                                                        \
    }                                                                                        \
                                                                                             \
    DEVICE T special_erfcinv_##T(T q) {                                                      \
        if (q < (T)0.5)                                                                      \
            return special_beyond_##T(q);                                                    \
        return q > (T)1.5 ? -special_beyond_##T(2 - q) : special_within_##T(1 - q);          \
    }

#define SPECIAL_BESSEL(T)                                                                    \
    /* the power series A&S 9.1.10 and 9.6.10 */                                             \
    DEVICE T special_series_##T(T quarter, T first, int order) {                             \
        T term = first, sum = first;                                                         \
        for (int k = 1; k < 60; k++) {                                                       \
            term *= quarter / (k * (k + order));                                             \
            sum += term;                                                                     \
        }                                                                                    \
        return sum;                                                                          \
    }                                                                                        \
                                                                                             \
    /* far out by A&S 9.7.1 */                                                               \
    DEVICE T special_i_##T(T x, int order) {                                                 \
        if (x < 25)                                                                          \
            return special_series_##T(x * x / 4, order ? x / 2 : 1, order);                  \
        T term = 1, sum = 1;                                                                 \
        for (int k = 1; k < 24; k++) {                                                       \
            term *= ((2 * k - 1) * (2 * k - 1) - 4 * order) / (8 * k * x);                   \
            sum += term;                                                                     \
        }                                                                                    \
        T root = exp(x / 2);                                                                 \
        return root * (sum / sqrt((T)(2 * PI) * x)) * root;                                  \
    }                                                                                        \
                                                                                             \
    /* by Miller's recurrence, which A&S 9.1.46 scales */                                    \
    DEVICE T special_recurrence_##T(T x, int order) {                                        \
        T above = 0, here = (T)1e-35, sum = 0;                                               \
        for (int n = 2 * (int)x + 24; n; n--) {                                              \
            T below = 2 * n / x * here - above;                                              \
            above = here;                                                                    \
            here = below;                                                                    \
            sum += n & 1 ? 2 * here : 0;                                                     \
        }                                                                                    \
        return (order ? above : here) / (sum - here);                                        \
    }                                                                                        \
                                                                                             \
    /* far out by A&S 9.2.5 */                                                               \
    DEVICE T special_j_##T(T x, int order) {                                                 \
        if (x < 1)                                                                           \
            return special_series_##T(x * x / -4, order ? x / 2 : 1, order);                 \
        if (x < 18)                                                                          \
            return special_recurrence_##T(x, order);                                         \
        T term = 1, p = 1, q = 0;                                                            \
        for (int k = 1; k < 24; k++) {                                                       \
            term *= (4 * order - (2 * k - 1) * (2 * k - 1)) / (8 * k * x);                   \
            p += k & 1 ? 0 : k & 2 ? -term : term;                                           \
            q += k & 1 ? k & 2 ? -term : term : 0;                                           \
        }                                                                                    \
        T plus = sin(x) + cos(x), minus = sin(x) - cos(x);                                   \
        T value = order ? p * minus + q * plus : p * plus - q * minus;                       \
        return value / sqrt((T)PI * x);                                                      \
    }                                                                                        \
                                                                                             \
    DEVICE T special_i0_##T(T x) { return special_i_##T(fabs(x), 0); }                       \
    DEVICE T special_i1_##T(T x) { return copysign(special_i_##T(fabs(x), 1), x); }          \
    DEVICE T special_j0_##T(T x) { return special_j_##T(fabs(x), 0); }                       \
    DEVICE T special_j1_##T(T x) {                                                           \
        T value = special_j_##T(fabs(x), 1);                                                 \
        return x < 0 ? -value : value;                                                       \
    }

#ifdef HAS_F64
#define SPECIAL_ROUNDED(name)                                                                \
    DEVICE f32 special_##name##_f32(f32 x) { return (f32)special_##name##_f64((f64)x); }
SPECIAL_ERROR(f64)
SPECIAL_BESSEL(f64)
SPECIAL_ROUNDED(erfcx)
SPECIAL_ROUNDED(log_ndtr)
SPECIAL_ROUNDED(erfinv)
SPECIAL_ROUNDED(erfcinv)
SPECIAL_ROUNDED(i0)
SPECIAL_ROUNDED(i1)
SPECIAL_ROUNDED(j0)
SPECIAL_ROUNDED(j1)
#else
SPECIAL_ERROR(f32)
SPECIAL_BESSEL(f32)
#endif
