/* Lines of a tensor along an axis, whose elements are `inner` apart. `lanes` threads share a line,
   and a work group has GROUP_SIZE / lanes lines: neighbours in memory where inner > 1. */
typedef struct {
    i64 number, start; /* which line this thread has, and where it begins */
    u32 lane, apart;   /* which of its threads this is, and how far they are from each other */
} NAME_line;

DEVICE NAME_line NAME_own_line(i64 block, u32 lanes, i64 n, i64 inner) {
    const u32 across = GROUP_SIZE / lanes;
    NAME_line own;
    own.lane = inner > 1 ? LID / across : LID % lanes;
    own.apart = inner > 1 ? across : 1;
    own.number = block * across + (inner > 1 ? LID % across : LID / lanes);
    own.start = own.number / inner * n * inner + own.number % inner;
    return own;
}

/* The thread of the same line whose lane differs in one bit. */
#define NAME_PARTNER(own, bit) (LID + (((own).lane ^ (bit)) - (own).lane) * (own).apart)
