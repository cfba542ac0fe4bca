/* What is in a window as one element, for every window: elements of type U of a source, those alone
   where x is what y has for the window if CHOSEN, combined in type ACC. Leading axes are counted as
   one; of the three axes that windows slide over, the first ones are of length 1 where there are
   fewer AXES.

   words: out, source, x, y; results; then for each of the three axes: sizes of the source, lengths
   of a window, strides, dilations (1), pads, numbers of windows */
#define NAME_SIZE(a) ((INDEX)W(5 + a))
#define NAME_LENGTH(a) ((INDEX)W(8 + a))
#define NAME_STRIDE(a) ((INDEX)W(11 + a))
#define NAME_PAD(a) ((INDEX)W(17 + a))
#define NAME_COUNT(a) ((INDEX)W(20 + a))
#define NAME_plus(x, y) ((x) + (y))
#define NAME_either(x, y) ((x) | (y))

KERNEL(NAME, 23, 4) {
    GLOBAL U *out = (GLOBAL U *)ARRAY(0);
    GLOBAL const U *source = (GLOBAL const U *)ARRAY(1);
    GLOBAL const T *x = (GLOBAL const T *)ARRAY(2), *y = (GLOBAL const T *)ARRAY(3);
    for (i64 i = GID; i < W(4); i += GRID) {
        INDEX lead = (INDEX)i, first[3] = {0, 0, 0}, last[3] = {1, 1, 1};
        UNROLL for (int a = 2; a >= 3 - AXES; a--) {
            const INDEX start = lead % NAME_COUNT(a) * NAME_STRIDE(a) - NAME_PAD(a);
            const INDEX end = start + NAME_LENGTH(a);
            lead /= NAME_COUNT(a);
            first[a] = start > 0 ? start : 0;
            last[a] = end < NAME_SIZE(a) ? end : NAME_SIZE(a);
        }
        ACC total = FIRST;
        for (INDEX a = first[0]; a < last[0]; a++)
            for (INDEX b = first[1]; b < last[1]; b++) {
                const i64 row = (((i64)lead * W(5) + a) * W(6) + b) * W(7);
                for (INDEX c = first[2]; c < last[2]; c++)
                    if (!CHOSEN || x[row + c] == y[i])
                        total = COMBINE(total, (ACC)source[row + c]);
            }
        out[i] = (U)total;
    }
}
