/*
 * The arm64 part of a guest program: console, end of the program, floating-point environment, code at run time. The
 * machine has a serial port whose data register lies at 0x0900_0000, and ends by PSCI; a program that fails says so in
 * its output.
 */
#include "conformance.h"
#include "guest.h"

static volatile uint8_t *const uart = (volatile uint8_t *)0x09000000;

void send(char byte)
{
	*uart = (uint8_t)byte;
}

_Noreturn void leave(int code)
{
	if (code != 0)
		put("ended with code %d\n", code);
	register uint64_t call __asm__("x0") = 0x84000008; /* SYSTEM_OFF */
	__asm__ volatile("hvc #0" : : "r"(call));
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void unexpected_trap(uint64_t syndrome, uint64_t pc, uint64_t address)
{
	put("unexpected trap: ESR_EL1 %lx, ELR_EL1 %lx, FAR_EL1 %lx\n", syndrome, pc, address);
	leave(3);
}

void set_rounding(enum rounding rounding)
{
	/* FPCR.RMode: nearest, toward zero, down, up. */
	static const uint64_t modes[ROUNDINGS] = {0, 3, 2, 1};
	__asm__ volatile("msr fpcr, %0" : : "r"(modes[rounding] << 22) : "memory");
}

unsigned take_exceptions(void)
{
	uint64_t raised;
	__asm__ volatile("mrs %0, fpsr\n msr fpsr, xzr" : "=r"(raised) : : "memory");
	return (raised & 16 ? INEXACT : 0) | (raised & 8 ? UNDERFLOW : 0) | (raised & 4 ? OVERFLOW : 0) |
	       (raised & 2 ? DIVIDED_BY_ZERO : 0) | (raised & 1 ? INVALID : 0);
}

void write_function(void *code, int value)
{
	volatile uint32_t *words = code;
	words[0] = 0x52800000 | (uint32_t)value << 5; /* mov w0, #value */
	words[1] = 0xd65f03c0;                        /* ret */
	__builtin___clear_cache(code, (char *)code + 8);
}

int call_function(const void *code)
{
	return ((int (*)(void))(uintptr_t)code)();
}
