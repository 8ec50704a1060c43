// Where a program begins on an arm64 machine: EL1, translation off (Linux Documentation/arch/arm64/booting.rst), at the
// head of an Image. Maps memory to itself, since misaligned accesses want normal memory. An exception that nobody expects
// ends the program.

	.section .text.start, "ax"
	.globl start
start:
	b begin
	.long 0
	.quad 0x200000			// text_offset
	.quad image_size
	.quad 0x2
	.quad 0, 0, 0
	.ascii "ARM\x64"
	.long 0

begin:
	ldr x0, =stack_end
	mov sp, x0
	ldr x0, =vectors
	msr vbar_el1, x0
	mov x0, #3 << 20		// CPACR_EL1.FPEN
	msr cpacr_el1, x0
	ldr x0, =bss_start
	ldr x1, =bss_end
1:	cmp x0, x1
	b.hs 2f
	str xzr, [x0], #8
	b 1b
2:	ldr x0, =tables			// two blocks of a gigabyte: devices, and RAM
	mov x1, #0x405
	str x1, [x0]
	ldr x1, =0x40000701
	str x1, [x0, #8]
	msr ttbr0_el1, x0
	mov x0, #0xff
	msr mair_el1, x0
	ldr x0, =0x803519		// T0SZ 25, inner shareable, write-back, EPD1
	msr tcr_el1, x0
	tlbi vmalle1
	dsb sy
	isb
	mrs x0, sctlr_el1
	mov x1, #0x1005			// M, C, I
	orr x0, x0, x1
	msr sctlr_el1, x0
	isb
	msr fpcr, xzr
	bl main
	bl leave

	.balign 2048
vectors:
	.rept 16
	.balign 128
	b trap
	.endr
trap:
	ldr x0, =stack_end
	mov sp, x0
	mrs x0, esr_el1
	mrs x1, elr_el1
	mrs x2, far_el1
	b unexpected_trap

	.bss
	.balign 4096
tables:
	.space 4096
