//! Prefetching: asking the processor to have values in its nearest cache before they are read.

#![allow(unsafe_code, reason = "the prefetch instruction; its block says why it is sound")]

/// Asks the processor to have all lines of these values near.
pub(super) fn prefetch<T>(row: &[T]) {
    for line in row.chunks((64 / size_of::<T>()).max(1)) {
        fetch(line.as_ptr().cast());
    }
}

/// Asks for the line at any address: a wrong one costs nothing but the asking.
#[inline(always)]
pub(super) fn fetch(address: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of every x86-64, and a prefetch neither faults nor changes what a program
    // can see.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
