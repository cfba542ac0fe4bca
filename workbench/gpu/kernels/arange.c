/* Out[i] = START + i STEP, in WIDE arithmetic, which wraps.

   words: out; length, start, step */
KERNEL(NAME, 4, 1) {
    GLOBAL T *out = (GLOBAL T *)ARRAY(0);
    for (i64 i = GID; i < W(1); i += GRID)
        out[i] = (T)((WIDE)(START) + (WIDE)i * (WIDE)(STEP));
}
