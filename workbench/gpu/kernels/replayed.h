/* A kernel as a part of another, which tells it its words and its work group. */
#undef W
#undef ARRAY
#undef GROUP
#undef GROUPS
#define W(i) words[i]
#define ARRAY(k) ARRAY_AT(words[k])
#define GROUP group
#define GROUPS groups
