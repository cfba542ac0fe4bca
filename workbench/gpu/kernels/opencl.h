/* The dialect in OpenCL C. */
#ifdef HAS_F64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double f64;
#endif
#ifndef FAST_MATH
#pragma OPENCL FP_CONTRACT OFF
#endif
#ifdef HAS_ATOMICS_64
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
#endif
typedef char i8;
typedef short i16;
typedef int i32;
typedef long i64;
typedef uchar u8;
typedef ushort u16;
typedef uint u32;
typedef ulong u64;
typedef float f32;
typedef uchar b8;
typedef u16 f16; /* its bits: nothing is computed with it */

#define DEVICE static inline
#define GLOBAL __global
#define LOCAL __local
#define LOCAL_ARRAY(type, name, count) __local type name[count]
#define ALIGNED(bytes) __attribute__((aligned(bytes)))
#define UNROLL __attribute__((opencl_unroll_hint))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define LID ((u32)get_local_id(0))
#define OWN_GROUP ((i64)get_group_id(0))
#define OWN_GROUPS ((i64)get_num_groups(0))

/* Words are given by value; the first of them are offsets into the buffers that follow. */
#define KERNEL(name, n_words, n_buffers)                                                     \
    __kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void name(              \
        const WORDS(n_words) w BUFFERS_##n_buffers)
#define WORDS(n) words_##n
#define OWN_ARRAY(k) (buffer##k + w.v[k])
#define ARRAY_AT(word) (NAMED_BUFFER((word) >> OFFSET_BITS) + ((word) & (((i64)1 << OFFSET_BITS) - 1)))
#define NAMED_BUFFER(i)                                                                      \
    ((i)&8 ? ((i)&4 ? ((i)&2 ? ((i)&1 ? buffer16 : buffer15) : ((i)&1 ? buffer14 : buffer13)) \
                    : ((i)&2 ? ((i)&1 ? buffer12 : buffer11) : ((i)&1 ? buffer10 : buffer9))) \
           : ((i)&4 ? ((i)&2 ? ((i)&1 ? buffer8 : buffer7) : ((i)&1 ? buffer6 : buffer5))     \
                    : ((i)&2 ? ((i)&1 ? buffer4 : buffer3) : ((i)&1 ? buffer2 : buffer1))))

#define bits_f32(word) as_float((int)(word))
#define bits_f64(word) as_double(word)
#define f32_bits(x) ((i64)(u32)as_int(x))
#define f64_bits(x) as_long(x)
#define popcount32(x) popcount(x)
#define popcount64(x) popcount(x)
#define high_u64(a, b) mul_hi(a, b)
#define high_u32(a, b) mul_hi(a, b)
#define ATOMIC_SWAP_32(p, old, new) atomic_cmpxchg((volatile __global u32 *)(p), old, new)
#define ATOMIC_SWAP_64(p, old, new) atom_cmpxchg((volatile __global u64 *)(p), old, new)
#define ATOMIC_ADD_I32(p, x) atomic_add((volatile __global i32 *)(p), x)

#define HALF_FROM(T)                                                                         \
    DEVICE f16 half_from_##T(T x) {                                                          \
        f16 y;                                                                               \
        vstore_half_rte(x, 0, (__private half *)&y);                                         \
        return y;                                                                            \
    }
HALF_FROM(f32)
#ifdef HAS_F64
HALF_FROM(f64)
#endif
DEVICE f32 from_half(f16 x) { return vload_half(0, (const __private half *)&x); }
