/* A kernel as a program of the host: prints the result, which every guest's must equal. */
#include "kernel.h"
#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	prepare();
	uint64_t result = kernel(0);
	for (uint32_t i = 0; i < rounds; i++)
		result = kernel(result);
	printf("%016" PRIx64 "\n", result);
	return 0;
}
