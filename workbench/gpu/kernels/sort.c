/* Out = x with each row in pieces of 2^shift items, from EACH to GROUP_SIZE EACH, that are sorted
   by themselves; the last may be shorter. Short rows are one piece each, and a work group sorts
   several. Every thread sorts its own items, then runs are merged in local memory.

   words: out, x; rows, items in a row, shift, columns, pieces in a row */
#include "items.h"
NAME_MERGING(LOCAL)
#define NAME_TILE (GROUP_SIZE * NAME_EACH)
#define NAME_EACH_OF(i, count) for (int i = 0; i < NAME_EACH && i < count; i++)

/* A few items, neighbours exchanged again and again. */
DEVICE void NAME_sort_few(ITEM *items, i64 count, GLOBAL const T *x, i64 columns) {
    for (int turn = 0; turn < NAME_EACH; turn++)
        for (int i = turn % 2; i + 1 < NAME_EACH; i += 2) {
            const ITEM a = items[i], b = items[i + 1];
            if (i + 1 < count && NAME_before(x, columns, b, a)) {
                items[i] = b;
                items[i + 1] = a;
            }
        }
}

KERNEL(NAME, 7, 2) {
    LOCAL_ARRAY(ITEM, items, NAME_TILE);
    const i64 n = W(3), columns = COLUMNS;
    const u32 shift = (u32)W(4), length = 1u << shift;
    const i64 first = GROUP * (NAME_TILE / length) / W(6), start = GROUP % W(6) * length;
    const i64 rest = n - start < length ? n - start : length;
    const u32 own = LID * NAME_EACH, at = own & (length - 1);
    const i64 row = first + (own >> shift), count = row < W(2) ? rest - at : 0;
    GLOBAL const T *x = (GLOBAL const T *)ARRAY(1) + row * n * columns;
    GLOBAL ITEM *out = (GLOBAL ITEM *)ARRAY(0) + row * n + start + at;
    ITEM mine[NAME_EACH];
    NAME_EACH_OF(i, count) mine[i] = BY_POSITION ? (ITEM)(start + at + i) : (ITEM)x[start + at + i];
    NAME_sort_few(mine, count, x, columns);
    for (u32 run = NAME_EACH; run < length; run *= 2) {
        NAME_EACH_OF(i, count) items[own + i] = mine[i];
        BARRIER();
        if (count > 0)
            NAME_merge_LOCAL(mine, items + own - at, at, rest, run, x, columns);
        BARRIER();
    }
    NAME_EACH_OF(i, count) out[i] = mine[i];
}
#undef NAME_EACH
#undef NAME_MERGING
#undef NAME_TILE
#undef NAME_EACH_OF
