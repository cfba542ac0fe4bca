/* A matrix times windows, which is what convolutions and their adjoints are:

       out[row, column] = sum over steps of left[row, step] * source[column, step]

   A column is (u, v) and a step (x, y), where v and y have three axes, of which the first ones are
   of length 1 where there are fewer AXES. The source's element is at (u, x) and along each of these
   axes at origin + v * pace + y * reach; outside it is zero. A work group makes a tile of ROWS x
   COLUMNS elements, STEPS at a time; each thread makes DEEP x 4 of them. Where a tile's columns and
   steps are in the source is kept in tables, so that an element is found by sums. BY_COLUMN: in the
   source, neighbouring columns are neighbours, else neighbouring steps. Strides are in elements.

   words: out, left, source; rows; lengths of u, v; of x, y; strides of left (row, x, y); of the
   source (u, x, axes); sizes of the source; origins; paces; reaches; strides of out (row, u, v);
   strides of the groups in left, source, out; how many groups; tiles along rows, along columns;
   steps of a part, and the stride of the parts in out: other work groups take other parts */
#define NAME_DOWN 8
#define NAME_ACROSS 32
#define NAME_ROWS (NAME_DOWN * DEEP)
#define NAME_COLUMNS (NAME_ACROSS * 4)
#define NAME_STEPS 16
/* So far outside that nothing brings it back. */
#define NAME_NOWHERE (-0x40000000)

KERNEL(NAME, 47, 3) {
    LOCAL_ARRAY(T, left, NAME_STEPS * (NAME_ROWS + 1));
    LOCAL_ARRAY(T, right, NAME_STEPS * (NAME_COLUMNS + 1));
    LOCAL_ARRAY(i64, column_from, NAME_COLUMNS);
    LOCAL_ARRAY(i64, column_into, NAME_COLUMNS);
    LOCAL_ARRAY(i32, column_place, 3 * NAME_COLUMNS);
    LOCAL_ARRAY(i64, step_from, NAME_STEPS);
    LOCAL_ARRAY(i64, step_left, NAME_STEPS);
    LOCAL_ARRAY(i32, step_place, 3 * NAME_STEPS);
    i64 tile = GROUP;
    const i64 first_row = tile % W(43) * NAME_ROWS;
    tile /= W(43);
    const i64 first_column = tile % W(44) * NAME_COLUMNS;
    tile /= W(44);
    const i64 group = tile % W(42), part = tile / W(42);
    const i64 columns = W(4) * W(5) * W(6) * W(7), steps = W(8) * W(9) * W(10) * W(11);
    const i64 first = part * W(45), last = first + W(45) < steps ? first + W(45) : steps;
    GLOBAL T *out = (GLOBAL T *)ARRAY(0) + group * W(41) + part * W(46);
    GLOBAL const T *matrix = (GLOBAL const T *)ARRAY(1) + group * W(39);
    GLOBAL const T *source = (GLOBAL const T *)ARRAY(2) + group * W(40);

    if (LID < NAME_COLUMNS) {
        i64 rest = first_column + LID, from = 0, into = 0;
        const int there = rest < columns;
        UNROLL for (int a = 2; a >= 3 - AXES; a--) {
            const i64 v = rest % W(5 + a), place = W(25 + a) + v * W(28 + a);
            rest /= W(5 + a);
            from += place * W(19 + a);
            into += v * W(36 + a);
            column_place[a * NAME_COLUMNS + LID] = there ? (i32)place : NAME_NOWHERE;
        }
        column_from[LID] = from + rest * W(17);
        column_into[LID] = into + rest * W(35);
    }

    const u32 across = LID % NAME_ACROSS, down = LID / NAME_ACROSS;
    T total[DEEP][4];
    for (int i = 0; i < DEEP; i++)
        for (int j = 0; j < 4; j++)
            total[i][j] = 0;

    for (i64 start = first; start < last; start += NAME_STEPS) {
        if (LID < NAME_STEPS) {
            i64 rest = start + LID, from = 0, at = 0;
            const int there = rest < last;
            UNROLL for (int a = 2; a >= 3 - AXES; a--) {
                const i64 y = rest % W(9 + a), place = y * W(31 + a);
                rest /= W(9 + a);
                from += place * W(19 + a);
                at += y * W(14 + a);
                step_place[a * NAME_STEPS + LID] = there ? (i32)place : NAME_NOWHERE;
            }
            step_from[LID] = from + rest * W(18);
            step_left[LID] = at + rest * W(13);
        }
        BARRIER();
        for (u32 k = LID; k < NAME_STEPS * NAME_ROWS; k += GROUP_SIZE) {
            const u32 step = k % NAME_STEPS, row = k / NAME_STEPS;
            left[step * (NAME_ROWS + 1) + row] =
                first_row + row < W(3) && start + step < last
                    ? matrix[(first_row + row) * W(12) + step_left[step]]
                    : (T)0;
        }
        for (u32 k = LID; k < NAME_STEPS * NAME_COLUMNS; k += GROUP_SIZE) {
            const u32 step = BY_COLUMN ? k / NAME_COLUMNS : k % NAME_STEPS;
            const u32 column = BY_COLUMN ? k % NAME_COLUMNS : k / NAME_STEPS;
            int inside = 1;
            UNROLL for (int a = 2; a >= 3 - AXES; a--) {
                const i32 place = column_place[a * NAME_COLUMNS + column] +
                                  step_place[a * NAME_STEPS + step];
                inside &= (u32)place < (u32)W(22 + a);
            }
            right[step * (NAME_COLUMNS + 1) + column] =
                inside ? source[column_from[column] + step_from[step]] : (T)0;
        }
        BARRIER();
        for (int k = 0; k < NAME_STEPS; k++) {
            T x[DEEP], y[4];
            UNROLL for (int i = 0; i < DEEP; i++)
                x[i] = left[k * (NAME_ROWS + 1) + down + NAME_DOWN * i];
            UNROLL for (int j = 0; j < 4; j++)
                y[j] = right[k * (NAME_COLUMNS + 1) + across + NAME_ACROSS * j];
            UNROLL for (int i = 0; i < DEEP; i++)
                UNROLL for (int j = 0; j < 4; j++)
                    total[i][j] = fma(x[i], y[j], total[i][j]);
        }
    }

    BARRIER();
    for (int i = 0; i < DEEP; i++)
        for (int j = 0; j < 4; j++) {
            const i64 row = first_row + down + NAME_DOWN * i;
            const u32 column = across + NAME_ACROSS * j;
            if (row < W(3) && first_column + column < columns)
                out[row * W(34) + column_into[column]] = total[i][j];
        }
}
