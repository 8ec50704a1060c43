/* A stack machine's interpreter, with a switch and with a table of labels, running four small programs. */
#include "conformance.h"

enum opcode { PUSH, LOAD, STORE, ADD, SUB, MUL, DIV, LESS, EQUAL, JUMP, JUMP_ZERO, DUP, DROP, FETCH, PLACE, EMIT, CALL, RET, END };

enum { STACK = 64, SLOTS = 8, HEAP = 256 };

struct machine {
	int64_t stack[STACK];
	int64_t slots[SLOTS];
	int64_t heap[HEAP];
	int32_t returns[STACK];
	uint64_t output;
	uint64_t steps;
};

static void run_switch(struct machine *m, const int32_t *code)
{
	int64_t *top = m->stack;
	int32_t *caller = m->returns;
	for (const int32_t *pc = code;; m->steps++) {
		switch ((enum opcode)*pc++) {
		case PUSH: *++top = *pc++; break;
		case LOAD: *++top = m->slots[*pc++]; break;
		case STORE: m->slots[*pc++] = *top--; break;
		case ADD: top--; *top += top[1]; break;
		case SUB: top--; *top -= top[1]; break;
		case MUL: top--; *top *= top[1]; break;
		case DIV: top--; *top /= top[1]; break;
		case LESS: top--; *top = *top < top[1]; break;
		case EQUAL: top--; *top = *top == top[1]; break;
		case JUMP: pc = code + *pc; break;
		case JUMP_ZERO: pc = *top-- == 0 ? code + *pc : pc + 1; break;
		case DUP: top++; *top = top[-1]; break;
		case DROP: top--; break;
		case FETCH: *top = m->heap[*top & (HEAP - 1)]; break;
		case PLACE: top -= 2; m->heap[top[2] & (HEAP - 1)] = top[1]; break;
		case EMIT: m->output = hash(m->output, (uint64_t)*top--); break;
		case CALL: *caller++ = (int32_t)(pc + 1 - code); pc = code + *pc; break;
		case RET: pc = code + *--caller; break;
		case END: return;
		}
	}
}

static void run_labels(struct machine *m, const int32_t *code)
{
	static const void *const labels[] = {&&push, &&load, &&store, &&add, &&sub, &&mul, &&div, &&less, &&equal, &&jump,
					     &&jump_zero, &&dup, &&drop, &&fetch, &&place, &&emit, &&call, &&ret, &&end};
	int64_t *top = m->stack;
	int32_t *caller = m->returns;
	const int32_t *pc = code;
#define NEXT do { m->steps++; goto *labels[*pc++]; } while (0)
	goto *labels[*pc++];
push: *++top = *pc++; NEXT;
load: *++top = m->slots[*pc++]; NEXT;
store: m->slots[*pc++] = *top--; NEXT;
add: top--; *top += top[1]; NEXT;
sub: top--; *top -= top[1]; NEXT;
mul: top--; *top *= top[1]; NEXT;
div: top--; *top /= top[1]; NEXT;
less: top--; *top = *top < top[1]; NEXT;
equal: top--; *top = *top == top[1]; NEXT;
jump: pc = code + *pc; NEXT;
jump_zero: pc = *top-- == 0 ? code + *pc : pc + 1; NEXT;
dup: top++; *top = top[-1]; NEXT;
drop: top--; NEXT;
fetch: *top = m->heap[*top & (HEAP - 1)]; NEXT;
place: top -= 2; m->heap[top[2] & (HEAP - 1)] = top[1]; NEXT;
emit: m->output = hash(m->output, (uint64_t)*top--); NEXT;
call: *caller++ = (int32_t)(pc + 1 - code); pc = code + *pc; NEXT;
ret: pc = code + *--caller; NEXT;
end:;
}

/* Sum of the squares below 300. */
static const int32_t squares[] = {
	PUSH, 0, STORE, 0, PUSH, 0, STORE, 1,
	/* 8 */ LOAD, 0, PUSH, 300, LESS, JUMP_ZERO, 31,
	/* 15 */ LOAD, 1, LOAD, 0, DUP, MUL, ADD, STORE, 1, LOAD, 0, PUSH, 1, ADD, JUMP, 32,
	/* 31 */ END,
	/* 32 */ STORE, 0, LOAD, 1, EMIT, JUMP, 8,
};

/* The primes below 200 with a sieve: heap[n] is 1 if n is composite. */
static const int32_t sieve[] = {
	PUSH, 2, STORE, 0,
	/* 4 */ LOAD, 0, PUSH, 200, LESS, JUMP_ZERO, 60,
	/* 11 */ LOAD, 0, FETCH, JUMP_ZERO, 25,
	/* 16 */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 4,
	/* 25 */ LOAD, 0, EMIT, LOAD, 0, LOAD, 0, ADD, STORE, 1,
	/* 35 */ LOAD, 1, PUSH, 200, LESS, JUMP_ZERO, 16,
	/* 42 */ PUSH, 1, LOAD, 1, PLACE, LOAD, 1, LOAD, 0, ADD, STORE, 1, JUMP, 35,
	/* 56 */ END, END, END, END,
	/* 60 */ END,
};

/* The longest of Collatz's sequences that begin below 40, dividing and multiplying. */
static const int32_t collatz[] = {
	PUSH, 1, STORE, 0,
	/* 4 */ LOAD, 0, PUSH, 40, LESS, JUMP_ZERO, 70,
	/* 11 */ LOAD, 0, STORE, 1, PUSH, 0, STORE, 2,
	/* 19 */ LOAD, 1, PUSH, 1, EQUAL, JUMP_ZERO, 38,
	/* 26 */ LOAD, 2, EMIT, LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 4,
	/* 38 */ LOAD, 2, PUSH, 1, ADD, STORE, 2, LOAD, 1, LOAD, 1, PUSH, 2, DIV, PUSH, 2, MUL, SUB, JUMP_ZERO, 71,
	/* 58 */ LOAD, 1, PUSH, 3, MUL, PUSH, 1, ADD, STORE, 1, JUMP, 19,
	/* 70 */ END,
	/* 71 */ LOAD, 1, PUSH, 2, DIV, STORE, 1, JUMP, 19,
};

/* Powers of three by calls, until they wrap. */
static const int32_t powers[] = {
	PUSH, 1, STORE, 0, PUSH, 0, STORE, 1,
	/* 8 */ CALL, 23, LOAD, 1, PUSH, 1, ADD, STORE, 1, LOAD, 1, PUSH, 60, JUMP, 31,
	/* 23 */ LOAD, 0, PUSH, 3, MUL, STORE, 0, RET,
	/* 31 */ LESS, JUMP_ZERO, 39, LOAD, 0, EMIT, JUMP, 8,
	/* 39 */ END,
};

int main(void)
{
	static const struct {
		const char *name;
		const int32_t *code;
	} codes[] = {{"squares", squares}, {"sieve", sieve}, {"collatz", collatz}, {"powers", powers}};
	static void (*const interpreters[])(struct machine *m, const int32_t *code) = {run_switch, run_labels};
	static struct machine machine;
	for (size_t n = 0; n < LENGTH(codes); n++) {
		for (size_t i = 0; i < LENGTH(interpreters); i++) {
			memset(&machine, 0, sizeof machine);
			machine.output = EMPTY_HASH;
			interpreters[i](&machine, codes[n].code);
			put("%-8s %lu steps, output %016lx, slots %ld %ld %ld\n", codes[n].name, machine.steps,
			    machine.output, machine.slots[0], machine.slots[1], machine.slots[2]);
		}
	}
	return 0;
}
