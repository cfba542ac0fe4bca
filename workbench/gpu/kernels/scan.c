/* Running totals along lines, or where PAIRED the recurrence y = a y + b. A thread goes over EACH
   elements; what comes before them is the total of the threads before, and of the tiles before.

   Long lines are cut into chunks, which begin with what the chunk before ends with. Before that is
   known, the kernel gives only the chunks' totals (of a recurrence: the a and b that lead from a
   chunk's beginning to its end), and is run over these (of a recurrence: with OF_TOTALS).

   words: out, totals' a, x or a, b, what chunks end with (chunk, line); lines, elements of a line,
   inner, lanes, chunks, length of a chunk, whether all elements are stored */
#include "lines.h"
#define NAME_EACH 8

#if PAIRED
typedef struct {
    T a, b;
} NAME_part;

DEVICE NAME_part NAME_read(GLOBAL const X *x, GLOBAL const X *b, i64 k) {
    const NAME_part read = {x[k], b[k]};
    return read;
}

/* From 0 only b is left, though the product of many a may be beyond the largest number. */
DEVICE NAME_part NAME_both(NAME_part x, NAME_part y) {
    const NAME_part both = {x.a * y.a, x.b == 0 ? y.b : y.a * x.b + y.b};
    return both;
}

DEVICE NAME_part NAME_next(NAME_part x, NAME_part y) {
    const NAME_part next = {x.a * y.a, y.a * x.b + y.b};
    return OF_TOTALS ? NAME_both(x, y) : next;
}
#else
typedef struct {
    T b;
} NAME_part;

DEVICE NAME_part NAME_read(GLOBAL const X *x, GLOBAL const X *b, i64 k) {
    const NAME_part read = {(T)x[k]};
    return read;
}

DEVICE NAME_part NAME_next(NAME_part left, NAME_part right) {
    const T x = left.b, y = right.b;
    const NAME_part next = {COMBINED};
    return next;
}
#define NAME_both NAME_next
#endif

/* Each thread's part becomes the total up to it. */
DEVICE void NAME_add_up(LOCAL NAME_part *parts, NAME_line own, u32 lanes) {
    for (u32 s = 1; s < lanes; s *= 2) {
        BARRIER();
        const NAME_part left = parts[own.lane < s ? LID : LID - s * own.apart], part = parts[LID];
        BARRIER();
        if (own.lane >= s)
            parts[LID] = NAME_both(left, part);
    }
    BARRIER();
}

KERNEL(NAME, 12, 5) {
    LOCAL_ARRAY(NAME_part, parts, GROUP_SIZE);
    const i64 lines = W(5), n = W(6), inner = W(7), chunk = GROUP % W(9);
    const u32 lanes = (u32)W(8);
    const b8 is_whole = W(11) != 0;
    const NAME_line own = NAME_own_line(GROUP / W(9), lanes, n, inner);
    const i64 end = (chunk + 1) * W(10) < n ? (chunk + 1) * W(10) : n;
    const i64 stop = own.number < lines ? end : 0, place = chunk * lines + own.number;
    GLOBAL T *out = (GLOBAL T *)ARRAY(0);
    GLOBAL const X *x = (GLOBAL const X *)ARRAY(2) + own.start;
    GLOBAL const X *b = (GLOBAL const X *)ARRAY(3) + own.start;
    b8 is_begun = is_whole && chunk;
    NAME_part so_far = {0};
    if (is_begun && stop)
        so_far.b = ((GLOBAL const T *)ARRAY(4))[place - lines];

    for (i64 tile = chunk * W(10); tile < end; tile += lanes * NAME_EACH) {
        const i64 first = tile + own.lane * NAME_EACH;
        NAME_part items[NAME_EACH], part = so_far;
        for (int i = 0; i < NAME_EACH; i++)
            if (first + i < stop) {
                items[i] = NAME_read(x, b, (first + i) * inner);
                part = i ? NAME_next(part, items[i]) : items[i];
            }
        parts[LID] = part;
        NAME_add_up(parts, own, lanes);
        const NAME_part left = parts[own.lane ? LID - own.apart : LID];
        const NAME_part last = parts[LID + (lanes - 1 - own.lane) * own.apart];
        part = !own.lane ? so_far : is_begun ? NAME_both(so_far, left) : left;
        for (int i = 0; i < NAME_EACH; i++)
            if (first + i < stop) {
                part = i || own.lane || is_begun ? NAME_next(part, items[i]) : items[i];
                if (is_whole)
                    out[own.start + (first + i) * inner] = part.b;
                else if (first + i == end - 1) {
                    out[place] = part.b;
#if PAIRED
                    ((GLOBAL T *)ARRAY(1))[place] = part.a;
#endif
                }
            }
        so_far = is_begun ? NAME_both(so_far, last) : last;
        is_begun = 1;
        BARRIER();
    }
}
#undef NAME_PARTNER
#undef NAME_EACH
#ifdef NAME_both
#undef NAME_both
#endif
