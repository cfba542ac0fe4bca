/* Out[i] = how many elements of an ascending line of n come before values[i]: those that are less,
   or with BEFORE <= the equal ones, too.

   words: out, line, values; n, how many values */
#define NAME_order(x) ORDER((T)((x) + (T)0))

KERNEL(NAME, 5, 3) {
    GLOBAL i64 *out = (GLOBAL i64 *)ARRAY(0);
    GLOBAL const T *line = (GLOBAL const T *)ARRAY(1);
    GLOBAL const T *values = (GLOBAL const T *)ARRAY(2);
    for (i64 i = GID; i < W(4); i += GRID) {
        const T value = values[i];
        i64 low = 0, high = W(3);
        while (low < high) {
            const i64 at = low + (high - low) / 2;
            if (NAME_order(line[at]) BEFORE NAME_order(value))
                low = at + 1;
            else
                high = at;
        }
        out[i] = low;
    }
}
#undef NAME_order
