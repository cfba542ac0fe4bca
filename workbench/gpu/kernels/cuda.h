/* The dialect in CUDA C++. */
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;
typedef unsigned char b8;
typedef u16 f16; /* its bits: nothing is computed with it */
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fc00000)
#endif

#define DEVICE static __device__ __forceinline__
#define GLOBAL
#define LOCAL
#define LOCAL_ARRAY(type, name, count) __shared__ type name[count]
#define ALIGNED(bytes) __align__(bytes)
#define UNROLL _Pragma("unroll")
#define BARRIER() __syncthreads()
#define LID ((u32)threadIdx.x)
#define OWN_GROUP ((i64)blockIdx.x)
#define OWN_GROUPS ((i64)gridDim.x)

/* Words are given by value; the first of them are addresses. */
#define KERNEL(name, n_words, n_buffers)                                                     \
    extern "C" __global__ void __launch_bounds__(GROUP_SIZE) name(const WORDS(n_words) w)
#define WORDS(n) words_##n
#define OWN_ARRAY(k) ((char *)w.v[k])
#define ARRAY_AT(word) ((char *)(word))

#define bits_f32(word) __int_as_float((int)(word))
#define bits_f64(word) __longlong_as_double(word)
#define f32_bits(x) ((i64)(u32)__float_as_int(x))
#define f64_bits(x) __double_as_longlong(x)
#define popcount32(x) __popc(x)
#define popcount64(x) __popcll(x)
#define high_u64(a, b) __umul64hi(a, b)
#define high_u32(a, b) __umulhi(a, b)
#define ATOMIC_SWAP_32(p, old, new) atomicCAS((u32 *)(p), old, new)
#define ATOMIC_SWAP_64(p, old, new) atomicCAS((u64 *)(p), old, new)
#define ATOMIC_ADD_I32(p, x) atomicAdd((i32 *)(p), x)
/* The lanes of a warp hand values on without shared memory. */
#define WARP 32
#define FROM_LANE_BELOW(x, distance, width) __shfl_down_sync(0xffffffffu, x, distance, width)

#define HALF_FROM(T, letter)                                                           \
    DEVICE f16 half_from_##T(T x) {                                                          \
        f16 y;                                                                               \
        asm("cvt.rn.f16." #T " %0, %1;" : "=h"(y) : letter(x));                              \
        return y;                                                                            \
    }
HALF_FROM(f32, "f")
HALF_FROM(f64, "d")
DEVICE f32 from_half(f16 x) {
    f32 y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
    return y;
}
