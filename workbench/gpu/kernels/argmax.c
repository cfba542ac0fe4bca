/* The place of the first element of each line beyond which (BEYOND is > or <) there is none; nan is
   beyond all. Lines are cut into chunks, whose places are then looked at in the same way.

   words: out (chunk, line), x, places (chunk, line); lines, elements of a line, inner, lanes,
   chunks, length of a chunk, how many places of each line are given, 0 for all */
#include "lines.h"
#define NAME_BEATS(a, b) ((a)BEYOND(b) || ((a) != (a) && (b) == (b)))

KERNEL(NAME, 10, 3) {
    LOCAL_ARRAY(T, values, GROUP_SIZE);
    LOCAL_ARRAY(i64, found, GROUP_SIZE);
    GLOBAL const i64 *places = (GLOBAL const i64 *)ARRAY(2);
    const i64 lines = W(3), inner = W(5), chunk = GROUP % W(7);
    const u32 lanes = (u32)W(6);
    const NAME_line own = NAME_own_line(GROUP / W(7), lanes, W(4), inner);
    const i64 end = (chunk + 1) * W(8), count = W(9) ? W(9) : W(4);
    const i64 stop = own.number >= lines ? 0 : end < count ? end : count;
    GLOBAL const T *x = (GLOBAL const T *)ARRAY(1) + own.start;

    T best = 0;
    i64 place = -1;
    for (i64 k = chunk * W(8) + own.lane; k < stop; k += lanes) {
        const i64 at = W(9) ? places[k * lines + own.number] : k;
        if (at >= 0 && (place < 0 || NAME_BEATS(x[at * inner], best))) {
            best = x[at * inner];
            place = at;
        }
    }
    for (u32 bit = 1; bit < lanes; bit *= 2) {
        values[LID] = best;
        found[LID] = place;
        BARRIER();
        const T other = values[NAME_PARTNER(own, bit)];
        const i64 at = found[NAME_PARTNER(own, bit)];
        const b8 is_equal = !NAME_BEATS(best, other) && at < place;
        if (at >= 0 && (place < 0 || NAME_BEATS(other, best) || is_equal)) {
            best = other;
            place = at;
        }
        BARRIER();
    }
    if (own.lane == 0 && own.number < lines)
        ((GLOBAL i64 *)ARRAY(0))[chunk * lines + own.number] = place;
}
#undef NAME_PARTNER
#undef NAME_BEATS
