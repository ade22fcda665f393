// Tries a GPU as a program would use it: a context, memory, a write, a read. In Python, which every worker has, over the driver's own library. Prints what fails.
// Where there is no such library, there is nothing to try.
export const CUDA_CHECK = `
import ctypes, sys
try:
    cuda = ctypes.CDLL('libcuda.so.1')
except OSError:
    sys.exit(0)
def must(what, code):
    if code != 0:
        print(what + ' fails with CUDA error ' + str(code)); sys.exit(1)
size, device, context, memory, found = 64 << 20, ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64(), ctypes.c_ubyte()
must('cuInit', cuda.cuInit(0))
must('cuDeviceGet', cuda.cuDeviceGet(ctypes.byref(device), 0))
must('cuCtxCreate', cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device))
must('cuMemAlloc', cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(size)))
must('cuMemsetD8', cuda.cuMemsetD8_v2(memory, ctypes.c_ubyte(7), ctypes.c_size_t(size)))
must('cuCtxSynchronize', cuda.cuCtxSynchronize())
must('cuMemcpyDtoH', cuda.cuMemcpyDtoH_v2(ctypes.byref(found), ctypes.c_uint64(memory.value + size - 1), ctypes.c_size_t(1)))
if found.value != 7:
    print('memory does not keep what is written to it'); sys.exit(1)
`
