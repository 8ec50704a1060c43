/*
 * Where the machine starts: M-mode, paging off, at the first byte of RAM. Opens all memory to S-mode, switches
 * floating point on, maps memory with Sv39 in pages of 4 KiB (what programs under an operating system mostly have),
 * and goes on in S-mode with guest_main(). Privileged Architecture, machine-level CSRs.
 */
#define STACK_BYTES 0x100000

	.section .text.start, "ax"
	.globl _start
_start:
	la sp, stack_top
	la t0, trapped
	csrw mtvec, t0
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f             /* NAPOT: all addresses; read, write, execute */
	csrw pmpcfg0, t0
	li t0, -1
	csrw mcounteren, t0     /* rdtime below M-mode */

	call map_memory         /* the root's address in a0 */
	srli a0, a0, 12
	li t0, 8 << 60          /* satp.MODE: Sv39 */
	or a0, a0, t0
	csrw satp, a0
	sfence.vma

	li t0, 0x7800           /* mstatus.FS and MPP */
	csrc mstatus, t0
	li t0, 0x2800           /* FS: initial; MPP: S */
	csrs mstatus, t0
	la t0, guest_main
	csrw mepc, t0
	mret

	/* Any trap is a fault of the program or of the machine: say which, and where. */
	.align 2
trapped:
	la sp, stack_top
	csrr a0, mcause
	csrr a1, mepc
	csrr a2, mtval
	tail unexpected_trap

	.bss
	.align 12
	.space STACK_BYTES
stack_top:
