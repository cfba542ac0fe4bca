/* Out = the rows of `from` with their sorted runs merged two by two. Each item goes as many places
   further as items of the other run come before it, which a search by halves finds.

   words: out, from, x; rows, items in a row, columns, length of a run */
#include "items.h"

KERNEL(NAME, 7, 3) {
    GLOBAL ITEM *out = (GLOBAL ITEM *)ARRAY(0);
    GLOBAL const ITEM *from = (GLOBAL const ITEM *)ARRAY(1);
    const i64 rows = W(3), n = W(4), columns = W(5), run = W(6);
    for (i64 i = GID; i < rows * n; i += GRID) {
        const i64 k = i % n, row = i - k, start = k / (2 * run) * (2 * run);
        const i64 middle = start + run < n ? start + run : n;
        const i64 end = middle + run < n ? middle + run : n;
        const b8 is_left = k < middle;
        const ITEM mine = from[i];
        GLOBAL const T *x = (GLOBAL const T *)ARRAY(2) + row * columns;
        i64 low = is_left ? middle : start, high = is_left ? end : middle;
        while (low < high) {
            const i64 at = low + (high - low) / 2;
            const ITEM other = from[row + at];
            /* of equals those of the left run come first */
            if (is_left ? NAME_before(x, columns, other, mine) : !NAME_before(x, columns, mine, other))
                low = at + 1;
            else
                high = at;
        }
        out[row + (is_left ? k + low - middle : k - middle + low)] = mine;
    }
}
