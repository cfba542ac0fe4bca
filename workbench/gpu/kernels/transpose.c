/* Out = x where neighbours of the one are not neighbours of the other, tile by tile through local
   memory, so that both are read and written in one piece. Out's neighbours are along its columns,
   x's along the rows. T is any type of the elements' size; steps are in bytes.

   words: out, x; rows, columns, tiles along the rows, tiles along the columns, step of out from row
   to row, of x from column to column; of stacks of matrices: how many in the inner stack, steps of
   out (outer, inner), of x */
#define NAME_TILE 32
#define NAME_BESIDE (NAME_TILE + 1)

KERNEL(NAME, 13, 2) {
    LOCAL_ARRAY(T, tile, NAME_TILE * NAME_BESIDE);
    const i64 rows = W(2), columns = W(3), tiles = W(4) * W(5);
    const i64 outer = GROUP / tiles / W(8), inner = GROUP / tiles % W(8);
    const i64 row = GROUP % tiles / W(5) * NAME_TILE, column = GROUP % tiles % W(5) * NAME_TILE;
    const u32 across = LID % NAME_TILE, down = LID / NAME_TILE;
    GLOBAL char *out = ARRAY(0) + outer * W(9) + inner * W(10);
    GLOBAL const char *x = ARRAY(1) + outer * W(11) + inner * W(12);
    for (u32 k = down; k < NAME_TILE; k += GROUP_SIZE / NAME_TILE)
        if (row + across < rows && column + k < columns)
            tile[k * NAME_BESIDE + across] =
                ((GLOBAL const T *)(x + (column + k) * W(7)))[row + across];
    BARRIER();
    for (u32 k = down; k < NAME_TILE; k += GROUP_SIZE / NAME_TILE)
        if (row + k < rows && column + across < columns)
            ((GLOBAL T *)(out + (row + k) * W(6)))[column + across] =
                tile[across * NAME_BESIDE + k];
}
#undef NAME_TILE
#undef NAME_BESIDE
