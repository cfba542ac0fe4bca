/* What is sorted: values of type T or, where BY_POSITION, the positions of rows of `columns` values
   in x. ITEM is T or i64; ORDER(value) has the values' order. A thread has EACH items. */
#define NAME_EACH 8

#if BY_POSITION
/* Equal rows keep their order; -0.0 is 0.0. */
DEVICE b8 NAME_before(GLOBAL const T *x, i64 columns, i64 a, i64 b) {
    for (i64 c = 0; c < columns; c++) {
        const T left = x[a * columns + c] + (T)0, right = x[b * columns + c] + (T)0;
        if (ORDER(left) != ORDER(right))
            return ORDER(left) < ORDER(right);
    }
    return a < b;
}
#else
DEVICE b8 NAME_before(GLOBAL const T *x, i64 columns, T a, T b) { return ORDER(a) < ORDER(b); }
#endif

/* Items of n, from number `at` on, after runs were merged two by two; of equals those of the left
   run come first. A search by halves finds how many of the items before them are of that run. */
#define NAME_MERGING(SPACE)                                                                  \
    DEVICE void NAME_merge_##SPACE(ITEM *merged, SPACE const ITEM *items, i64 at, i64 n,     \
                                   i64 run, GLOBAL const T *x, i64 columns) {                \
        const i64 start = at & -(2 * run);                                                   \
        const i64 middle = start + run < n ? start + run : n;                                \
        const i64 end = middle + run < n ? middle + run : n;                                 \
        const i64 before = at - start, others = end - middle;                                \
        i64 low = before > others ? before - others : 0;                                     \
        i64 high = before < middle - start ? before : middle - start;                        \
        while (low < high) {                                                                 \
            const i64 centre = (low + high) / 2;                                             \
            const ITEM other = items[middle + before - 1 - centre];                          \
            if (NAME_before(x, columns, other, items[start + centre]))                       \
                high = centre;                                                               \
            else                                                                             \
                low = centre + 1;                                                            \
        }                                                                                    \
        i64 left = start + low, right = middle + before - low;                               \
        for (int i = 0; i < NAME_EACH && at + i < end; i++) {                                \
            const b8 is_left = right >= end ||                                               \
                (left < middle && !NAME_before(x, columns, items[right], items[left]));      \
            merged[i] = items[is_left ? left++ : right++];                                   \
        }                                                                                    \
    }
