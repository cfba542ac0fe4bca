/* Scalar functions that the languages do not have, with NumPy's rules at the edges. */

#define GID (GROUP * GROUP_SIZE + LID)
#define GRID (GROUPS * GROUP_SIZE)

/* Tell the host that something is wrong; the first who tells is heard. */
DEVICE void report(GLOBAL char *flags, i64 mark) {
    GLOBAL i64 *word = (GLOBAL i64 *)flags;
    if (*word == 0)
        *word = mark;
}

/* Float to integer as x86 converts: what does not fit is the smallest integer, or wraps. */
#define TO_INTEGER(T)                                                                        \
    DEVICE i64 to_i64_##T(T x) {                                                             \
        return x >= (T)-9223372036854775808.0 && x < (T)9223372036854775808.0                \
                   ? (i64)x                                                                  \
                   : (i64)0x8000000000000000;                                                \
    }                                                                                        \
    DEVICE i32 to_i32_##T(T x) {                                                             \
        return x > (T)-2147483649.0 && x < (T)2147483648.0 ? (i32)x : (i32)0x80000000;       \
    }                                                                                        \
    DEVICE u64 to_u64_##T(T x) {                                                             \
        return x >= (T)9223372036854775808.0 && x < (T)18446744073709551616.0                \
                   ? (u64)x                                                                  \
                   : (u64)to_i64_##T(x);                                                     \
    }

/* Floored division and its rest, which has the divisor's sign. */
#define FLOORED(T)                                                                           \
    DEVICE T floored_mod_##T(T x, T y) {                                                     \
        T rest = fmod(x, y);                                                                 \
        if (rest != 0 && (y < 0) != (rest < 0))                                              \
            rest += y;                                                                       \
        return rest == 0 ? copysign((T)0, y) : rest;                                         \
    }                                                                                        \
    DEVICE T floored_div_##T(T x, T y) {                                                     \
        T rest = fmod(x, y), quotient = (x - rest) / y, ratio = x / y;                       \
        if (rest != 0 && (y < 0) != (rest < 0))                                              \
            quotient -= 1;                                                                   \
        T below = floor(quotient);                                                           \
        T whole = quotient - below > (T)0.5 ? below + 1 : below;                             \
        whole = quotient == 0 ? copysign((T)0, ratio) : whole;                               \
        return y == 0 ? ratio : whole;                                                       \
    }

#define SMOOTH(T)                                                                            \
    DEVICE T sigmoid_##T(T x) {                                                              \
        T small = exp(-fabs(x));                                                             \
        return (x < 0 ? small : (T)1) / (1 + small);                                         \
    }                                                                                        \
    DEVICE T softplus_##T(T x) {                                                             \
        return isnan(x) ? x : fmax(x, (T)0) + log1p(exp(-fabs(x)));                          \
    }                                                                                        \
    DEVICE T sign_##T(T x) { return isnan(x) ? x : (T)((x > 0) - (x < 0)); }                 \
    DEVICE T larger_##T(T x, T y) { return isnan(x) || x > y ? x : y; }                      \
    DEVICE T smaller_##T(T x, T y) { return isnan(x) || x < y ? x : y; }

/* The unsigned integer whose order is the elements': -0.0 before 0.0, nan last. */
#define ORDERED(T, U)                                                                        \
    DEVICE U order_##T(T x) {                                                                \
        const U raw = (U)T##_bits(x), top = (U)1 << (8 * sizeof(T) - 1);                     \
        return isnan(x) ? (U) ~(U)0 : raw & top ? ~raw : raw | top;                          \
    }

#define PI 3.14159265358979323846

/* The logarithmic derivative of the gamma function: reflection, recurrence, asymptotic series. */
#define DIGAMMA(T)                                                                           \
    DEVICE T digamma_##T(T x) {                                                              \
        if (x == 0)                                                                          \
            return copysign((T)INFINITY, -x);                                                \
        T result = 0;                                                                        \
        if (x < 0) {                                                                         \
            T fraction = x - rint(x);                                                        \
            if (fraction == 0)                                                               \
                return (T)NAN;                                                               \
            result = -(T)PI / tan((T)PI * fraction);                                         \
            x = 1 - x;                                                                       \
        }                                                                                    \
        for (; x < 10; x += 1)                                                               \
            result -= 1 / x;                                                                 \
        T inverse = 1 / x, square = inverse * inverse;                                       \
        T series = (T)(1.0 / 12) -                                                           \
                   square * ((T)(1.0 / 120) -                                                \
                             square * ((T)(1.0 / 252) -                                      \
                                       square * ((T)(1.0 / 240) -                            \
                                                 square * ((T)(1.0 / 132) -                  \
                                                           square * (T)(691.0 / 32760)))));  \
        return result + (log(x) - (T)0.5 * inverse - square * series);                       \
    }

/* float32 in float64: libraries are coarse beside poles and roots, and where it overflows. */
#define GAMMA(T)                                                                             \
    DEVICE T gamma_##T(T x) { return tgamma(x); }                                            \
    DEVICE T log_gamma_##T(T x) { return x == -(T)INFINITY ? (T)INFINITY : lgamma(x); }

TO_INTEGER(f32)
FLOORED(f32)
SMOOTH(f32)
ORDERED(f32, u32)
#ifdef HAS_F64
TO_INTEGER(f64)
FLOORED(f64)
SMOOTH(f64)
ORDERED(f64, u64)
DIGAMMA(f64)
GAMMA(f64)
DEVICE f32 digamma_f32(f32 x) { return (f32)digamma_f64((f64)x); }
DEVICE f32 gamma_f32(f32 x) { return (f32)gamma_f64((f64)x); }
DEVICE f32 log_gamma_f32(f32 x) { return (f32)log_gamma_f64((f64)x); }
#else
DIGAMMA(f32)
GAMMA(f32)
#endif

/* Integers: division by zero is 0, the smallest by -1 wraps. */
#define SIGNED(T, U)                                                                         \
    DEVICE T floored_div_##T(T x, T y) {                                                     \
        if (y == 0)                                                                          \
            return 0;                                                                        \
        if (y == -1)                                                                         \
            return (T)((U)0 - (U)x);                                                         \
        T quotient = (T)(x / y), rest = (T)(x - quotient * y);                               \
        return (T)(rest != 0 && (rest ^ y) < 0 ? quotient - 1 : quotient);                   \
    }                                                                                        \
    DEVICE T floored_mod_##T(T x, T y) {                                                     \
        if (y == 0 || y == -1)                                                               \
            return 0;                                                                        \
        T rest = (T)(x % y);                                                                 \
        return (T)(rest != 0 && (rest ^ y) < 0 ? rest + y : rest);                           \
    }                                                                                        \
    DEVICE T power_##T(T x, T y) {                                                           \
        if (y < 0)                                                                           \
            return (T)(x == 1 ? 1 : x == -1 ? ((y & 1) ? -1 : 1) : 0);                       \
        U power = 1, base = (U)x;                                                            \
        for (U left = (U)y; left; left >>= 1) {                                              \
            if (left & 1)                                                                    \
                power = (U)((u64)power * base);                                              \
            base = (U)((u64)base * base);                                                    \
        }                                                                                    \
        return (T)power;                                                                     \
    }                                                                                        \
    DEVICE T shift_right_##T(T x, T y) {                                                     \
        return (T)(x >> ((U)y < 8 * sizeof(T) ? y : (T)(8 * sizeof(T) - 1)));                \
    }                                                                                        \
    DEVICE U order_##T(T x) { return (U)((U)x ^ (U)1 << (8 * sizeof(T) - 1)); }              \
    DEVICE T size_##T(T x) { return x < 0 ? (T)((U)0 - (U)x) : x; }                          \
    DEVICE T sign_##T(T x) { return (T)((x > 0) - (x < 0)); }

#define UNSIGNED(T)                                                                          \
    DEVICE T floored_div_##T(T x, T y) { return (T)(y == 0 ? 0 : x / y); }                   \
    DEVICE T floored_mod_##T(T x, T y) { return (T)(y == 0 ? 0 : x % y); }                   \
    DEVICE T power_##T(T x, T y) {                                                           \
        T power = 1, base = x;                                                               \
        for (T left = y; left; left >>= 1) {                                                 \
            if (left & 1)                                                                    \
                power = (T)((u64)power * base);                                              \
            base = (T)((u64)base * base);                                                    \
        }                                                                                    \
        return power;                                                                        \
    }                                                                                        \
    DEVICE T shift_right_##T(T x, T y) { return (T)(y < 8 * sizeof(T) ? x >> y : 0); }       \
    DEVICE T order_##T(T x) { return x; }                                                    \
    DEVICE T size_##T(T x) { return x; }                                                     \
    DEVICE T sign_##T(T x) { return x != 0; }

#define EITHER(T, U)                                                                         \
    DEVICE T shift_left_##T(T x, T y) {                                                      \
        return (T)((U)y < 8 * sizeof(T) ? (u64)(U)x << (U)y : 0);                            \
    }                                                                                        \
    DEVICE T divisor_##T(T x, T y) {                                                         \
        U a = (U)size_##T(x), b = (U)size_##T(y);                                            \
        while (b) {                                                                          \
            U rest = (U)(a % b);                                                             \
            a = b;                                                                           \
            b = rest;                                                                        \
        }                                                                                    \
        return (T)a;                                                                         \
    }                                                                                        \
    DEVICE T larger_##T(T x, T y) { return x > y ? x : y; }                                  \
    DEVICE T smaller_##T(T x, T y) { return x < y ? x : y; }

SIGNED(i8, u8)
SIGNED(i16, u16)
SIGNED(i32, u32)
SIGNED(i64, u64)
UNSIGNED(u8)
UNSIGNED(u16)
UNSIGNED(u32)
UNSIGNED(u64)
EITHER(i8, u8)
EITHER(i16, u16)
EITHER(i32, u32)
EITHER(i64, u64)
EITHER(u8, u8)
EITHER(u16, u16)
EITHER(u32, u32)
EITHER(u64, u64)
