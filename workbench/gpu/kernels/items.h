/* What is sorted: values of type T or, where BY_POSITION, the positions of rows of `columns` values
   in x. ITEM is T or i64; ORDER(value) has the values' order. */
#if BY_POSITION
/* Equal rows keep their order; -0.0 is 0.0. */
DEVICE b8 NAME_before(GLOBAL const T *x, i64 columns, i64 a, i64 b) {
    for (i64 c = 0; c < columns; c++) {
        const T left = x[a * columns + c] + (T)0, right = x[b * columns + c] + (T)0;
        if (ORDER(left) != ORDER(right))
            return ORDER(left) < ORDER(right);
    }
    return a < b;
}
#else
DEVICE b8 NAME_before(GLOBAL const T *x, i64 columns, T a, T b) { return ORDER(a) < ORDER(b); }
#endif
