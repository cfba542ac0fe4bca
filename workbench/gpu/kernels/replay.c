/* One work group goes through steps of a loop. The list in buffer 0 has the commands of a cycle: a
   case, how many work groups there were to be, and where its words begin; then all words of the
   first cycle, and by how much they grow from cycle to cycle. */
KERNEL(NAME, NAME_WORDS, NAME_BUFFERS) {
    LOCAL_ARRAY(i64, plan, 3 * MOST_COMMANDS);
    LOCAL_ARRAY(i64, now, LISTED_WORDS);
    LOCAL_ARRAY(i64, growth, LISTED_WORDS);
NAME_LOCALS
    GLOBAL const i64 *list = (GLOBAL const i64 *)OWN_ARRAY(0);
    const i64 start = w.v[NAME_BUFFERS], cycles = w.v[NAME_BUFFERS + 1];
    const i64 commands = w.v[NAME_BUFFERS + 2], total = w.v[NAME_BUFFERS + 3];
    for (i64 i = LID; i < 3 * commands; i += GROUP_SIZE)
        plan[i] = list[i];
    for (i64 i = LID; i < total; i += GROUP_SIZE) {
        growth[i] = list[3 * commands + total + i];
        now[i] = list[3 * commands + i] + start * growth[i];
    }
    BARRIER();
    for (i64 cycle = 0; cycle < cycles; cycle++) {
        for (i64 command = 0; command < commands; command++) {
            LOCAL const i64 *words = now + plan[3 * command + 2];
            const i64 groups = plan[3 * command + 1];
            switch ((int)plan[3 * command]) {
NAME_CASES
            }
        }
        for (i64 i = LID; i < total; i += GROUP_SIZE)
            now[i] += growth[i];
        BARRIER();
    }
}
