/* A kernel by itself: its words, its buffers, its work groups. */
#undef W
#undef ARRAY
#undef GROUP
#undef GROUPS
#define W(i) w.v[i]
#define ARRAY(k) OWN_ARRAY(k)
#define GROUP OWN_GROUP
#define GROUPS OWN_GROUPS
