/* The host's side of conformance.h, over the C library. */
#include "conformance.h"
#include <fenv.h>
#include <stdio.h>

void put(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
}

void set_rounding(enum rounding rounding)
{
	static const int modes[ROUNDINGS] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
	fesetround(modes[rounding]);
}

unsigned take_exceptions(void)
{
	const int raised = fetestexcept(FE_ALL_EXCEPT);
	feclearexcept(FE_ALL_EXCEPT);
	return (raised & FE_INEXACT ? INEXACT : 0) | (raised & FE_UNDERFLOW ? UNDERFLOW : 0) |
	       (raised & FE_OVERFLOW ? OVERFLOW : 0) | (raised & FE_DIVBYZERO ? DIVIDED_BY_ZERO : 0) |
	       (raised & FE_INVALID ? INVALID : 0);
}

/* The host makes no code: what a function is to return is kept where the guest has its instructions. */
void write_function(void *code, int value)
{
	memcpy(code, &value, sizeof value);
}

int call_function(const void *code)
{
	int value;
	memcpy(&value, code, sizeof value);
	return value;
}
