/* A stack machine's interpreter, dispatching by a switch: it counts primes by trial division, and sums them. */
#include "kernel.h"

ROUNDS(160);

enum { STACK = 32, SLOTS = 8 };
enum opcode { PUSH, LOAD, STORE, ADD, MUL, REM, LESS, JUMP, JUMP_ZERO, HALT };
enum slot { LIMIT, NUMBER, DIVISOR, COUNT, SUM };

/* Opcodes and operands; jumps have the index they go to. */
static const int16_t program[] = {
	PUSH, 2, STORE, NUMBER,
	/* 4: while number < limit */
	LOAD, NUMBER, LOAD, LIMIT, LESS, JUMP_ZERO, 67,
	PUSH, 2, STORE, DIVISOR,
	/* 15: while divisor * divisor < number + 1 */
	LOAD, DIVISOR, LOAD, DIVISOR, MUL, LOAD, NUMBER, PUSH, 1, ADD, LESS, JUMP_ZERO, 44,
	/* 28: no prime if number % divisor is 0 */
	LOAD, NUMBER, LOAD, DIVISOR, REM, JUMP_ZERO, 58,
	/* 35: divisor++ */
	LOAD, DIVISOR, PUSH, 1, ADD, STORE, DIVISOR, JUMP, 15,
	/* 44: count++, sum += number */
	PUSH, 1, LOAD, COUNT, ADD, STORE, COUNT,
	LOAD, SUM, LOAD, NUMBER, ADD, STORE, SUM,
	/* 58: number++ */
	LOAD, NUMBER, PUSH, 1, ADD, STORE, NUMBER, JUMP, 4,
	/* 67 */
	HALT,
};

void prepare(void)
{
}

static uint64_t run(int64_t *slots)
{
	int64_t stack[STACK] = {0};
	int64_t *top = stack;
	uint64_t steps = 0;
	for (const int16_t *pc = program;; steps++) {
		switch ((enum opcode)*pc++) {
		case PUSH: *++top = *pc++; break;
		case LOAD: *++top = slots[*pc++]; break;
		case STORE: slots[*pc++] = *top--; break;
		case ADD: top--; *top += top[1]; break;
		case MUL: top--; *top *= top[1]; break;
		case REM: top--; *top %= top[1]; break;
		case LESS: top--; *top = *top < top[1]; break;
		case JUMP: pc = program + *pc; break;
		case JUMP_ZERO: pc = *top-- == 0 ? program + *pc : pc + 1; break;
		case HALT: return steps;
		}
	}
}

uint64_t kernel(uint64_t seed)
{
	int64_t slots[SLOTS] = {[LIMIT] = 2000 + (int64_t)(seed % 64)};
	const uint64_t steps = run(slots);
	return mix(mix(mix(seed, steps), (uint64_t)slots[COUNT]), (uint64_t)slots[SUM]);
}
