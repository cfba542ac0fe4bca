/* Out = x with each row in pieces of 2^shift items, up to TILE, that are sorted by themselves; the
   last may be shorter. Short rows are one piece each, and a work group sorts several. In local
   memory, by a bitonic network whose exchanges all go one way, so that what lies behind a row's end
   is never touched.

   words: out, x; rows, items in a row, columns, shift, pieces in a row */
#include "items.h"
#define NAME_TILE 1024
#define NAME_THERE(e) (first + ((e) >> shift) < rows && start + ((e) & (length - 1)) < n)

KERNEL(NAME, 7, 2) {
    LOCAL_ARRAY(ITEM, items, NAME_TILE);
    const i64 rows = W(2), n = W(3), columns = W(4), pieces = W(6);
    const u32 shift = (u32)W(5), length = 1u << shift;
    const i64 first = GROUP * (NAME_TILE / length) / pieces, start = GROUP % pieces * length;
    GLOBAL const T *x = (GLOBAL const T *)ARRAY(1) + first * n * columns;
    GLOBAL ITEM *out = (GLOBAL ITEM *)ARRAY(0) + first * n + start;
    for (u32 e = LID; e < NAME_TILE; e += GROUP_SIZE)
        if (NAME_THERE(e)) {
            const i64 at = start + (e & (length - 1));
            items[e] = BY_POSITION ? (ITEM)at : (ITEM)x[(e >> shift) * n + at];
        }
    for (u32 size = 2; size <= length; size *= 2)
        for (u32 apart = size / 2; apart; apart /= 2) {
            BARRIER();
            for (u32 e = LID; e < NAME_TILE / 2; e += GROUP_SIZE) {
                const u32 low = e / apart * 2 * apart + e % apart;
                const u32 high = apart == size / 2 ? low ^ (size - 1) : low + apart;
                GLOBAL const T *row = x + (high >> shift) * n * columns;
                const ITEM a = items[low], b = items[high];
                if (NAME_THERE(high) && NAME_before(row, columns, b, a)) {
                    items[low] = b;
                    items[high] = a;
                }
            }
        }
    BARRIER();
    for (u32 e = LID; e < NAME_TILE; e += GROUP_SIZE)
        if (NAME_THERE(e))
            out[(e >> shift) * n + (e & (length - 1))] = items[e];
}
#undef NAME_TILE
#undef NAME_THERE
