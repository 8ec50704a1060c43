/*
 * A guest that is itself a translator: in each round it writes a function of random operations into one of many places,
 * over what stood there before, and calls it; what the function gives must be what an interpreter of the same operations
 * gives. Some functions are called often, so that they are hot before they are overwritten. Places lie close to each
 * other, in several pages and across their ends. The last line of the output begins with "done", or tells what went
 * wrong.
 */
#include "conformance.h"

enum { ROUNDS = 3000, PLACES = 96, PLACE_BYTES = 328, OPERATIONS = 64, REGISTERS = 6, HOT_CALLS = 3000 };

enum kind { ADD, SUB, XOR, OR, AND, MUL, ADDW, SLLI, SRLI, ADDI, KINDS };

struct operation {
	enum kind kind;
	unsigned to, from, other;
	int number;
};

struct function {
	unsigned operations, loops;
	struct operation operation[OPERATIONS];
};

static uint8_t code[PLACES * PLACE_BYTES] __attribute__((aligned(4096)));

static void choose(struct function *f, uint64_t *random)
{
	f->operations = 1 + next_random(random) % OPERATIONS;
	f->loops = 1 + next_random(random) % 12;
	for (unsigned i = 0; i < f->operations; i++) {
		const uint64_t bits = next_random(random);
		f->operation[i] = (struct operation){
			.kind = (enum kind)(bits % KINDS),
			.to = bits >> 8 & 0xff,
			.from = bits >> 16 & 0xff,
			.other = bits >> 24 & 0xff,
			.number = (int)(bits >> 32 & 0xfff) - 0x800,
		};
		f->operation[i].to %= REGISTERS;
		f->operation[i].from %= REGISTERS;
		f->operation[i].other %= REGISTERS;
	}
}

static uint64_t interpret(const struct function *f, const uint64_t *arguments)
{
	uint64_t r[REGISTERS];
	memcpy(r, arguments, sizeof r);
	for (unsigned loop = 0; loop < f->loops; loop++) {
		for (unsigned i = 0; i < f->operations; i++) {
			const struct operation *o = &f->operation[i];
			const uint64_t a = r[o->from], b = r[o->other];
			switch (o->kind) {
			case ADD: r[o->to] = a + b; break;
			case SUB: r[o->to] = a - b; break;
			case XOR: r[o->to] = a ^ b; break;
			case OR: r[o->to] = a | b; break;
			case AND: r[o->to] = a & b; break;
			case MUL: r[o->to] = a * b; break;
			case ADDW: r[o->to] = (uint64_t)(int32_t)(a + b); break;
			case SLLI: r[o->to] = a << (o->number & 63); break;
			case SRLI: r[o->to] = a >> (o->number & 63); break;
			default: r[o->to] = a + (uint64_t)o->number; break;
			}
		}
	}
	return r[0] ^ r[1] ^ r[2] ^ r[3] ^ r[4] ^ r[5];
}

/* Instruction words: the Instruction Set Manual, volume I, "RV32I Base Integer Instruction Set" and "M". */
enum { OP = 0x33, OP_32 = 0x3b, OP_IMM = 0x13, BRANCH = 0x63, T0 = 5, A0 = 10 };

static uint32_t r_type(unsigned opcode, unsigned f7, unsigned f3, unsigned rd, unsigned rs1, unsigned rs2)
{
	return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode;
}

static uint32_t i_type(unsigned f3, unsigned rd, unsigned rs1, int number)
{
	return (uint32_t)number << 20 | rs1 << 15 | f3 << 12 | rd << 7 | OP_IMM;
}

static uint32_t bne_back(unsigned rs1, unsigned bytes)
{
	const uint32_t offset = -bytes;
	return (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25 | rs1 << 15 | 1 << 12 | (offset >> 1 & 15) << 8
		| (offset >> 11 & 1) << 7 | BRANCH;
}

static uint32_t word_of(const struct operation *o)
{
	const unsigned rd = A0 + o->to, rs1 = A0 + o->from, rs2 = A0 + o->other;
	switch (o->kind) {
	case ADD: return r_type(OP, 0, 0, rd, rs1, rs2);
	case SUB: return r_type(OP, 0x20, 0, rd, rs1, rs2);
	case XOR: return r_type(OP, 0, 4, rd, rs1, rs2);
	case OR: return r_type(OP, 0, 6, rd, rs1, rs2);
	case AND: return r_type(OP, 0, 7, rd, rs1, rs2);
	case MUL: return r_type(OP, 1, 0, rd, rs1, rs2);
	case ADDW: return r_type(OP_32, 0, 0, rd, rs1, rs2);
	case SLLI: return i_type(1, rd, rs1, o->number & 63);
	case SRLI: return i_type(5, rd, rs1, o->number & 63);
	default: return i_type(0, rd, rs1, o->number);
	}
}

static void put_word(uint8_t **at, uint32_t word)
{
	/* A place need not be a multiple of four. */
	memcpy(*at, &word, sizeof word);
	*at += sizeof word;
}

static void translate(const struct function *f, uint8_t *at)
{
	put_word(&at, i_type(0, T0, 0, (int)f->loops));
	for (unsigned i = 0; i < f->operations; i++)
		put_word(&at, word_of(&f->operation[i]));
	put_word(&at, i_type(0, T0, T0, -1));
	put_word(&at, bne_back(T0, 4 * (f->operations + 1)));
	for (unsigned i = 1; i < REGISTERS; i++)
		put_word(&at, r_type(OP, 0, 4, A0, A0, A0 + i));
	put_word(&at, 0x00008067); /* ret */
	__asm__ volatile("fence.i" : : : "memory");
}

typedef uint64_t translated(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

int main(void)
{
	static struct function functions[PLACES];
	uint64_t random = 0x9e3779b97f4a7c15, sum = EMPTY_HASH;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const unsigned place = next_random(&random) % PLACES;
		uint8_t *const at = code + place * PLACE_BYTES + (place & 2);
		choose(&functions[place], &random);
		translate(&functions[place], at);
		/* The new one, and another one that may still stand as it was. */
		for (unsigned which = 0; which < 2; which++) {
			const unsigned called = which == 0 ? place : next_random(&random) % PLACES;
			const struct function *const f = &functions[called];
			if (f->operations == 0)
				continue;
			uint64_t r[REGISTERS];
			for (unsigned i = 0; i < REGISTERS; i++)
				r[i] = next_random(&random);
			const uint64_t expected = interpret(f, r);
			translated *const call = (translated *)(code + called * PLACE_BYTES + (called & 2));
			const unsigned calls = next_random(&random) % 16 == 0 ? HOT_CALLS : 1;
			for (unsigned i = 0; i < calls; i++) {
				const uint64_t got = call(r[0], r[1], r[2], r[3], r[4], r[5]);
				if (got == expected)
					continue;
				put("round %u, place %u: 0x%lx is not 0x%lx\n", round, called, got, expected);
				return 1;
			}
			sum = hash(sum, expected);
		}
	}
	put("done, %u rounds, %lx\n", (unsigned)ROUNDS, sum);
	return 0;
}
