/* Numbers of the generator Philox4x32-10: each thread makes some blocks of four words, each of which
   is EACH numbers of type T. NUMBER makes one of its bits, of type BITS. PACK holds all of a block.

   words: state after, numbers, state before; how many numbers; how many blocks; how many of these
   may be written at once */
#define NAME_integer(bits) (bits)
/* From 1 to 2, and less: the bits of a mantissa are the number's. */
#define NAME_single(bits) (bits_f32(0x3F800000u | (bits) >> 9) - 0x1.FFFFFEp-1f)
#define NAME_double(bits) (bits_f64(0x3FF0000000000000 | (bits) >> 12) - 0x1.FFFFFFFFFFFFFp-1)

KERNEL(NAME, 6, 3) {
    GLOBAL const u64 *before = (GLOBAL const u64 *)ARRAY(2);
    GLOBAL T *numbers = (GLOBAL T *)ARRAY(1);
    const u64 key = before[0], low = before[1], high = before[2];
    if (GID == 0) {
        GLOBAL u64 *after = (GLOBAL u64 *)ARRAY(0);
        const u64 next = low + (u64)W(4);
        after[0] = key;
        after[1] = next;
        after[2] = high + (next < low);
    }
    for (i64 k = GID; k < W(4); k += GRID) {
        const u64 place = low + (u64)k, above = high + (place < low);
        u32 a = (u32)place, b = (u32)(place >> 32), c = (u32)above, d = (u32)(above >> 32);
        u32 key_a = (u32)key, key_b = (u32)(key >> 32);
        UNROLL for (int round = 0; round < 10; round++) {
            const u32 first = high_u32(0xD2511F53u, a), second = high_u32(0xCD9E8D57u, c);
            const u32 below_first = 0xD2511F53u * a, below_second = 0xCD9E8D57u * c;
            a = second ^ b ^ key_a;
            b = below_second;
            c = first ^ d ^ key_b;
            d = below_first;
            key_a += 0x9E3779B9u;
            key_b += 0xBB67AE85u;
        }
        const u64 pairs[2] = {(u64)b << 32 | a, (u64)d << 32 | c};
        PACK block;
        UNROLL for (int j = 0; j < EACH; j++) {
            const BITS bits = (BITS)(EACH == 2 ? pairs[j] : pairs[j / 2] >> 32 * (j % 2));
            block.v[j] = NUMBER(bits);
        }
        if (k < W(5))
            ((GLOBAL PACK *)numbers)[k] = block;
        else
            for (int j = 0; j < EACH && EACH * k + j < W(3); j++)
                numbers[EACH * k + j] = block.v[j];
    }
}
