/* Out = softmax of x, or its LOGARITHM, along lines: what is divided by the sum at last, or lessened
   by its logarithm, is kept in out until then.

   words: out, x; lines, elements of a line, inner, lanes */
#include "lines.h"

KERNEL(NAME, 6, 2) {
    LOCAL_ARRAY(T, peaks, GROUP_SIZE);
    LOCAL_ARRAY(ACC, sums, GROUP_SIZE);
    const i64 n = W(3), inner = W(4);
    const u32 lanes = (u32)W(5);
    const NAME_line own = NAME_own_line(GROUP, lanes, n, inner);
    const i64 stop = own.number < W(2) ? n : 0;
    GLOBAL const X *x = (GLOBAL const X *)ARRAY(1) + own.start;
    GLOBAL T *out = (GLOBAL T *)ARRAY(0) + own.start;

    T peak = -(T)INFINITY;
    for (i64 k = own.lane; k < stop; k += lanes)
        peak = LARGER(peak, (T)x[k * inner]);
    for (u32 bit = 1; bit < lanes; bit *= 2) {
        peaks[LID] = peak;
        BARRIER();
        peak = LARGER(peak, peaks[NAME_PARTNER(own, bit)]);
        BARRIER();
    }
    ACC sum = 0;
    for (i64 k = own.lane; k < stop; k += lanes) {
        const T shifted = (T)x[k * inner] - peak, power = exp(shifted);
        out[k * inner] = LOGARITHM ? shifted : power;
        sum += power;
    }
    for (u32 bit = 1; bit < lanes; bit *= 2) {
        sums[LID] = sum;
        BARRIER();
        sum += sums[NAME_PARTNER(own, bit)];
        BARRIER();
    }
    const T total = LOGARITHM ? log((T)sum) : (T)sum;
    for (i64 k = own.lane; k < stop; k += lanes)
        out[k * inner] = LOGARITHM ? out[k * inner] - total : out[k * inner] / total;
}
#undef NAME_PARTNER
