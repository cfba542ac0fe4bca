/* Out = softmax of x, or its logarithm, along lines: RESULT is made of an element less the line's
   largest (`shifted`) and of the sum of their exponentials (`total`).

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
    for (i64 k = own.lane; k < stop; k += lanes)
        sum += exp((T)x[k * inner] - peak);
    for (u32 bit = 1; bit < lanes; bit *= 2) {
        sums[LID] = sum;
        BARRIER();
        sum += sums[NAME_PARTNER(own, bit)];
        BARRIER();
    }
    const T total = (T)sum;
    for (i64 k = own.lane; k < stop; k += lanes) {
        const T shifted = (T)x[k * inner] - peak;
        out[k * inner] = RESULT;
    }
}
#undef NAME_PARTNER
