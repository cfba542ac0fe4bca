/* What the windows that hold a place give it, for every place: the source has an element of type U
   for each window, or with WITHIN one for each place in each; if CHOSEN, those windows count for
   which y has what x has in the place. The sum is taken in type ACC. Leading axes are counted as
   one; of the three axes that windows slide over, the first ones are of length 1 where there are
   fewer AXES.

   words: out, source, x, y; places; then for each of the three axes: sizes, lengths of a window,
   strides, dilations, pads, numbers of windows */
#define NAME_SIZE(a) ((INDEX)W(5 + a))
#define NAME_LENGTH(a) ((INDEX)W(8 + a))
#define NAME_STRIDE(a) ((INDEX)W(11 + a))
#define NAME_DILATION(a) ((INDEX)W(14 + a))
#define NAME_PAD(a) ((INDEX)W(17 + a))
#define NAME_COUNT(a) ((INDEX)W(20 + a))
#define NAME_plus(x, y) ((x) + (y))
#define NAME_either(x, y) ((x) | (y))
/* How far into window number k the place is; whether one of the window's own places is there. */
#define NAME_INTO(a, k) (at[a] - k * NAME_STRIDE(a))
#define NAME_MISSED(a, k) (WITHIN && NAME_INTO(a, k) % NAME_DILATION(a))
#define NAME_OWN(a, k) (NAME_INTO(a, k) / NAME_DILATION(a))

KERNEL(NAME, 23, 4) {
    GLOBAL U *out = (GLOBAL U *)ARRAY(0);
    GLOBAL const U *source = (GLOBAL const U *)ARRAY(1);
    GLOBAL const T *x = (GLOBAL const T *)ARRAY(2), *y = (GLOBAL const T *)ARRAY(3);
    for (i64 i = GID; i < W(4); i += GRID) {
        INDEX lead = (INDEX)i, first[3] = {0, 0, 0}, last[3] = {1, 1, 1}, at[3] = {0, 0, 0};
        UNROLL for (int a = 2; a >= 3 - AXES; a--) {
            const INDEX reach = (NAME_LENGTH(a) - 1) * NAME_DILATION(a), stride = NAME_STRIDE(a);
            at[a] = lead % NAME_SIZE(a) + NAME_PAD(a);
            lead /= NAME_SIZE(a);
            first[a] = at[a] > reach ? (at[a] - reach + stride - 1) / stride : 0;
            last[a] = at[a] / stride + 1;
            last[a] = last[a] < NAME_COUNT(a) ? last[a] : NAME_COUNT(a);
        }
        ACC total = 0;
        for (INDEX a = first[0]; a < last[0]; a++)
            for (INDEX b = first[1]; b < last[1]; b++)
                for (INDEX c = first[2]; c < last[2]; c++) {
                    i64 k = (((i64)lead * W(20) + a) * W(21) + b) * W(22) + c;
                    if (NAME_MISSED(0, a) || NAME_MISSED(1, b) || NAME_MISSED(2, c))
                        continue;
                    if (CHOSEN && x[i] != y[k])
                        continue;
                    if (WITHIN)
                        k = ((k * W(8) + NAME_OWN(0, a)) * W(9) + NAME_OWN(1, b)) * W(10) +
                            NAME_OWN(2, c);
                    total = COMBINE(total, (ACC)source[k]);
                }
        out[i] = (U)total;
    }
}
