// One byte of flags for each page of RAM, in the VM's shared memory, at vcpu.pageFlags + page number.
// Invariant: while CODE is set for a page, no first-level TLB of any vCPU holds a store entry for it.

/** The page holds instructions that have been decoded or translated. */
export const CODE = 1;
