# Where a program begins on a bare riscv64 machine: machine mode, nothing set up (Privileged ISA, section 3.4).
# Hart 0 runs the program, the others wait for ever. A trap that nobody expects ends the program.

	.section .text.start
	.globl start
start:
	csrr t0, mhartid
	bnez t0, park
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	la sp, stack_end
	la t0, trap
	csrw mtvec, t0
	li t0, 0x6000			# mstatus.FS: the floating-point unit is on
	csrs mstatus, t0
	csrw fcsr, zero
	call main
	call leave

park:
	wfi
	j park

	.balign 4
trap:
	la sp, stack_end
	csrr a0, mcause
	csrr a1, mepc
	csrr a2, mtval
	call unexpected_trap
