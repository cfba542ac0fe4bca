/* Numbers that the host gives by value, brought into memory: 2 elements from element 1 on. */
KERNEL(NAME, 99, 1) {
    GLOBAL i64 *into = (GLOBAL i64 *)ARRAY(0) + W(1);
    for (i64 i = LID; i < W(2); i += GROUP_SIZE)
        into[i] = W(3 + i);
}
