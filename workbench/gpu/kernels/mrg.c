/* Numbers of the generator MRG31k3p: each thread takes some streams, and draws every number of each.
   Element k of the sample is of stream k modulo their number. All values are below 2**32, so that a
   remainder is at most one subtraction.

   words: states after, numbers, states before; how many streams, numbers */
#define NAME_M1 0x7FFFFFFFu
#define NAME_M2 0x7FFFADB3u
#define NAME_below(y, m) ((y) < (m) ? (y) : (y) - (m))
/* 2**places x modulo M1 = 2**31 - 1: the 31 bits go round. */
#define NAME_rotated(x, places) (((x) & ((1u << (31 - places)) - 1)) << places | (x) >> (31 - places))

/* 2**15 x modulo M2 = 2**31 - 21069: what is above 2**31 comes back 21069 times. */
DEVICE u32 NAME_times_power(u32 x) {
    const u32 y = ((x & 0xFFFF) << 15) + (x >> 16) * 21069;
    return NAME_below(y, NAME_M2);
}

KERNEL(NAME, 5, 3) {
    GLOBAL const u32 *before = (GLOBAL const u32 *)ARRAY(2);
    GLOBAL u32 *after = (GLOBAL u32 *)ARRAY(0);
    GLOBAL T *numbers = (GLOBAL T *)ARRAY(1);
    for (i64 j = GID; j < W(3); j += GRID) {
        u32 s[6];
        for (int i = 0; i < 6; i++)
            s[i] = before[6 * j + i];
        for (i64 k = j; k < W(4); k += W(3)) {
            u32 x = NAME_rotated(s[1], 22) + NAME_rotated(s[2], 7);
            x = NAME_below(x, NAME_M1) + s[2];
            u32 y = NAME_times_power(s[3]) + NAME_times_power(s[5]);
            y = NAME_below(y, NAME_M2) + s[5];
            s[2] = s[1];
            s[1] = s[0];
            s[0] = NAME_below(x, NAME_M1);
            s[5] = s[4];
            s[4] = s[3];
            s[3] = NAME_below(y, NAME_M2);
            const i32 number = (i32)(s[0] - s[3]);
            numbers[k] = (T)(number > 0 ? number : number + (i32)NAME_M1) * UNIT;
        }
        for (int i = 0; i < 6; i++)
            after[6 * j + i] = s[i];
    }
}
