/* Out = the rows of `from` with their sorted runs merged two by two.

   words: out, from, x; rows, items in a row, columns, length of a run, a power of 2 */
#include "items.h"
NAME_MERGING(GLOBAL)

KERNEL(NAME, 7, 3) {
    const i64 n = W(4), columns = COLUMNS, threads = (n + NAME_EACH - 1) / NAME_EACH;
    for (i64 i = GID; i < W(3) * threads; i += GRID) {
        const i64 row = i / threads, at = i % threads * NAME_EACH;
        GLOBAL const ITEM *from = (GLOBAL const ITEM *)ARRAY(1) + row * n;
        GLOBAL const T *x = (GLOBAL const T *)ARRAY(2) + row * n * columns;
        GLOBAL ITEM *out = (GLOBAL ITEM *)ARRAY(0) + row * n + at;
        ITEM merged[NAME_EACH];
        NAME_merge_GLOBAL(merged, from, at, n, W(6), x, columns);
        for (int k = 0; k < NAME_EACH && at + k < n; k++)
            out[k] = merged[k];
    }
}
#undef NAME_EACH
#undef NAME_MERGING
