/*
 * Where the machine starts: EL1, translation off, at the head of an Image (Linux Documentation/arch/arm64/booting.rst),
 * which boot loaders understand. Switches floating point on, maps memory in pages of 4 KiB (what programs under an
 * operating system mostly have), and goes on with guest_main().
 */
#define STACK_BYTES 0x100000

	.section .text.start, "ax"
	.globl _start
_start:
	b begin
	.long 0
	.quad 0x200000          /* text_offset: where it is linked, from the start of RAM */
	.quad image_size
	.quad 0x2               /* little-endian, pages of 4 KiB */
	.quad 0, 0, 0
	.ascii "ARM\x64"
	.long 0

begin:
	ldr x0, =stack_top
	mov sp, x0
	ldr x0, =vectors
	msr vbar_el1, x0
	mov x0, #3 << 20        /* CPACR_EL1.FPEN */
	msr cpacr_el1, x0
	ldr x0, =bss_start
	ldr x1, =bss_end
1:	str xzr, [x0], #8
	cmp x0, x1
	b.lo 1b

	bl map_memory           /* the root's address in x0 */
	msr ttbr0_el1, x0
	mov x0, #0xff           /* attribute 0: normal memory, 1: device */
	msr mair_el1, x0
	ldr x1, =0x00003519     /* T0SZ 25, inner shareable, write-back */
	orr x0, x1, #1 << 23    /* EPD1: nothing above */
	msr tcr_el1, x0
	tlbi vmalle1
	dsb sy
	isb
	mrs x0, sctlr_el1
	mov x1, #0x1005         /* M, C, I */
	orr x0, x0, x1
	msr sctlr_el1, x0
	isb
	b guest_main

	/* Any exception is a fault of the program or of the machine: say which, and where. */
	.align 11
vectors:
	.rept 16
	.align 7
	b trapped
	.endr
trapped:
	ldr x0, =stack_top
	mov sp, x0
	mrs x0, esr_el1
	mrs x1, elr_el1
	mrs x2, far_el1
	b unexpected_trap

	.section .stack, "aw", @nobits
	.align 12
	.space STACK_BYTES
stack_top:
