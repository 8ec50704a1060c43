/*
 * The riscv64 part of a guest program: console, end of the program, floating-point environment, code at run time.
 * The machine has a 16550A at 0x1000_0000 and is told of the end through `tohost`: 1 is success, anything else is
 * a code shifted left with bit 0 set.
 */
#include "conformance.h"
#include "guest.h"

volatile uint64_t tohost __attribute__((section(".tohost")));

static volatile uint8_t *const uart = (volatile uint8_t *)0x10000000;
enum { UART_DATA = 0, UART_LINE_STATUS = 5, UART_CAN_SEND = 0x20 };

void send(char byte)
{
	while ((uart[UART_LINE_STATUS] & UART_CAN_SEND) == 0)
		;
	uart[UART_DATA] = (uint8_t)byte;
}

_Noreturn void leave(int code)
{
	tohost = (uint64_t)code << 1 | 1;
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void unexpected_trap(uint64_t cause, uint64_t pc, uint64_t value)
{
	put("unexpected trap: mcause %lx, mepc %lx, mtval %lx\n", cause, pc, value);
	leave(3);
}

void set_rounding(enum rounding rounding)
{
	static const unsigned modes[ROUNDINGS] = {0, 1, 2, 3};
	__asm__ volatile("csrw frm, %0" : : "r"(modes[rounding]) : "memory");
}

unsigned take_exceptions(void)
{
	unsigned long raised;
	__asm__ volatile("csrrw %0, fflags, zero" : "=r"(raised) : : "memory");
	return (unsigned)raised; /* The bits are those of the header. */
}

void write_function(void *code, int value)
{
	volatile uint32_t *words = code;
	words[0] = 0x00000513 | (uint32_t)value << 20; /* addi a0, zero, value */
	words[1] = 0x00008067;                         /* jalr zero, 0(ra) */
	__asm__ volatile("fence.i" : : : "memory");
}

int call_function(const void *code)
{
	return ((int (*)(void))(uintptr_t)code)();
}
