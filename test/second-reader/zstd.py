"""Debian's libzstd: one frame, with a prefix where the record has bases."""

import ctypes

_zstd = ctypes.CDLL("libzstd.so.1")
_zstd.ZSTD_createDCtx.restype = ctypes.c_void_p
_zstd.ZSTD_freeDCtx.argtypes = [ctypes.c_void_p]
_zstd.ZSTD_DCtx_refPrefix.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_zstd.ZSTD_DCtx_refPrefix.restype = ctypes.c_size_t
_zstd.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
_zstd.ZSTD_decompressDCtx.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
]
_zstd.ZSTD_decompressDCtx.restype = ctypes.c_size_t


def decompress(frame, size_bytes, prefix=b""):
    """The frame's content, or ValueError when it is not one frame of exactly this size."""
    if _zstd.ZSTD_findFrameCompressedSize(frame, len(frame)) != len(frame):
        raise ValueError("not exactly one zstd frame")
    out = ctypes.create_string_buffer(size_bytes)
    context = _zstd.ZSTD_createDCtx()
    try:
        if prefix and _zstd.ZSTD_isError(_zstd.ZSTD_DCtx_refPrefix(context, prefix, len(prefix))):
            raise ValueError("the prefix was refused")
        done = _zstd.ZSTD_decompressDCtx(context, out, size_bytes, frame, len(frame))
    finally:
        _zstd.ZSTD_freeDCtx(context)
    if done != size_bytes:
        raise ValueError("the frame does not give the size that the record states")
    return out.raw
