"""Ask the processor for memory before it is read: a large store's columns do not fit its caches, and a miss takes as
long as a hundred additions."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

READ, NEAR, DATA = 0, 3, 1  # LLVM's numbers: for reading, kept in all caches, not instructions
NUMBER = ir.IntType(32)


def _prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """What `prefetch` compiles to for an array and an index of these types."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        column = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], signature.args[1], types.intp)
        offset = builder.mul(place, cgutils.unpack_tuple(builder, column.strides)[0])
        address = cgutils.pointer_add(builder, column.data, offset, cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, NUMBER, NUMBER, NUMBER])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(ask, [address, NUMBER(READ), NUMBER(NEAR), NUMBER(DATA)])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch: Any = intrinsic(_prefetch)
"""`prefetch(array, index)`, in compiled code alone: begin to load the cache line where `array[index]` begins.

Nothing is read, so an index beyond the array does no harm.
"""
