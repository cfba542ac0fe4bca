/* Out = A B for stacks of matrices of type T, accumulated in type ACC. A work group makes a tile of
   TILE x TILE elements, STEP columns of A and rows of B at a time; each thread makes 4 x 4 of them.
   Strides are in elements.

   words: out, a, b; rows, columns, shared; strides of a (batch, row, column), of b, of out;
   tiles along the rows, tiles along the columns */
#define NAME_TILE 64
#define NAME_STEP 16
#define NAME_EACH 4
#define NAME_multiply_add(x, y, total) ((ACC)(x) * (ACC)(y) + (total))

KERNEL(NAME, 17, 3) {
    LOCAL_ARRAY(T, left, NAME_STEP * (NAME_TILE + 1));
    LOCAL_ARRAY(T, right, NAME_STEP * (NAME_TILE + 1));
    const i64 rows = W(3), columns = W(4), shared = W(5);
    const i64 per_matrix = W(15) * W(16), batch = GROUP / per_matrix;
    const i64 tile = GROUP % per_matrix;
    const i64 first_row = tile / W(16) * NAME_TILE, first_column = tile % W(16) * NAME_TILE;
    GLOBAL const T *a = (GLOBAL const T *)ARRAY(1) + batch * W(6);
    GLOBAL const T *b = (GLOBAL const T *)ARRAY(2) + batch * W(9);
    GLOBAL T *out = (GLOBAL T *)ARRAY(0) + batch * W(12);
    const u32 across = LID % 16, down = LID / 16;
    ACC total[NAME_EACH][NAME_EACH];
    for (int i = 0; i < NAME_EACH; i++)
        for (int j = 0; j < NAME_EACH; j++)
            total[i][j] = 0;

    for (i64 start = 0; start < shared; start += NAME_STEP) {
        for (u32 k = LID; k < NAME_STEP * NAME_TILE; k += GROUP_SIZE) {
            /* neighbouring threads read neighbouring elements, whichever way the matrix lies */
            const u32 a_step = A_BY_ROW ? k % NAME_STEP : k / NAME_TILE;
            const u32 a_row = A_BY_ROW ? k / NAME_STEP : k % NAME_TILE;
            const u32 b_step = B_BY_ROW ? k / NAME_TILE : k % NAME_STEP;
            const u32 b_column = B_BY_ROW ? k % NAME_TILE : k / NAME_STEP;
            const i64 row = first_row + a_row, column = first_column + b_column;
            left[a_step * (NAME_TILE + 1) + a_row] =
                row < rows && start + a_step < shared ? a[row * W(7) + (start + a_step) * W(8)] : (T)0;
            right[b_step * (NAME_TILE + 1) + b_column] =
                column < columns && start + b_step < shared
                    ? b[(start + b_step) * W(10) + column * W(11)]
                    : (T)0;
        }
        BARRIER();
        for (int k = 0; k < NAME_STEP; k++) {
            T x[NAME_EACH], y[NAME_EACH];
            UNROLL for (int i = 0; i < NAME_EACH; i++) {
                x[i] = left[k * (NAME_TILE + 1) + down + 16 * i];
                y[i] = right[k * (NAME_TILE + 1) + across + 16 * i];
            }
            UNROLL for (int i = 0; i < NAME_EACH; i++)
                UNROLL for (int j = 0; j < NAME_EACH; j++)
                    total[i][j] = MULTIPLY_ADD(x[i], y[j], total[i][j]);
        }
        BARRIER();
    }

    for (int i = 0; i < NAME_EACH; i++)
        for (int j = 0; j < NAME_EACH; j++) {
            const i64 row = first_row + down + 16 * i, column = first_column + across + 16 * j;
            if (row < rows && column < columns)
                out[row * W(13) + column * W(14)] = (T)total[i][j];
        }
}
#undef NAME_TILE
#undef NAME_STEP
#undef NAME_EACH
#undef NAME_multiply_add
