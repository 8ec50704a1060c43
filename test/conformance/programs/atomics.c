/* The compiler's atomic operations of 32 and 64 bits in every memory order, a lock, a queue without one. */
#include "conformance.h"

static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xfedcba9876543210};

#define FETCHES(type, order) \
	all = hash(all, (uint64_t)__atomic_fetch_add(&place, (type)b, order)); \
	all = hash(all, (uint64_t)__atomic_fetch_sub(&place, (type)(b >> 3), order)); \
	all = hash(all, (uint64_t)__atomic_fetch_and(&place, (type)(b | 0xff00ff), order)); \
	all = hash(all, (uint64_t)__atomic_fetch_or(&place, (type)(b << 7), order)); \
	all = hash(all, (uint64_t)__atomic_fetch_xor(&place, (type)~b, order)); \
	all = hash(all, (uint64_t)__atomic_fetch_nand(&place, (type)(b + 5), order)); \
	all = hash(all, (uint64_t)__atomic_add_fetch(&place, (type)1, order)); \
	all = hash(all, (uint64_t)__atomic_exchange_n(&place, (type)(b * 3), order));

#define EXCHANGE(type, weak, success, failure) \
	expected = (type)(b * 3); \
	all = hash(all, __atomic_compare_exchange_n(&place, &expected, (type)a, weak, success, failure)); \
	all = hash(all, (uint64_t)expected);

#define OPERATE(type) \
	static __attribute__((noinline)) uint64_t operate_##type(uint64_t a, uint64_t b) \
	{ \
		static type place, expected; \
		uint64_t all = EMPTY_HASH; \
		__atomic_store_n(&place, (type)a, __ATOMIC_RELEASE); \
		all = hash(all, (uint64_t)__atomic_load_n(&place, __ATOMIC_ACQUIRE)); \
		FETCHES(type, __ATOMIC_RELAXED) \
		EXCHANGE(type, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) \
		FETCHES(type, __ATOMIC_ACQUIRE) \
		EXCHANGE(type, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) \
		FETCHES(type, __ATOMIC_RELEASE) \
		FETCHES(type, __ATOMIC_ACQ_REL) \
		EXCHANGE(type, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED) \
		FETCHES(type, __ATOMIC_SEQ_CST) \
		EXCHANGE(type, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) \
		EXCHANGE(type, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) \
		__atomic_thread_fence(__ATOMIC_SEQ_CST); \
		return hash(all, (uint64_t)__atomic_load_n(&place, __ATOMIC_SEQ_CST)); \
	}

OPERATE(uint64_t)
OPERATE(int64_t)
OPERATE(uint32_t)
OPERATE(int32_t)

static uint32_t lock;

static void with_lock(uint64_t *counter)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0)
		;
	(*counter)++;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

struct item {
	struct item *next;
	unsigned number;
};

static struct item *stack;

static void push(struct item *item)
{
	item->next = __atomic_load_n(&stack, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&stack, &item->next, item, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static struct item *pop(void)
{
	struct item *top = __atomic_load_n(&stack, __ATOMIC_ACQUIRE);
	while (top != NULL && !__atomic_compare_exchange_n(&stack, &top, top->next, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		;
	return top;
}

/* The greatest value so far, by a loop of compare and exchange. */
static void raise_to(uint64_t *greatest, uint64_t value)
{
	uint64_t seen = __atomic_load_n(greatest, __ATOMIC_RELAXED);
	while (seen < value && !__atomic_compare_exchange_n(greatest, &seen, value, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

int main(void)
{
	for (size_t i = 0; i < LENGTH(values); i++) {
		for (size_t j = 0; j < LENGTH(values); j++) {
			const uint64_t a = opaque(values[i]), b = opaque(values[j]);
			put("%016lx %016lx:", a, b);
			put(" %016lx %016lx", operate_uint64_t(a, b), operate_int64_t(a, b));
			put(" %016lx %016lx\n", operate_uint32_t(a, b), operate_int32_t(a, b));
		}
	}
	uint64_t counter = 0, greatest = 0, state = 3;
	static struct item items[10];
	for (unsigned i = 0; i < 100; i++) {
		with_lock(&counter);
		raise_to(&greatest, next_random(&state));
	}
	for (unsigned i = 0; i < LENGTH(items); i++) {
		items[i].number = i;
		push(&items[i]);
	}
	put("counter %lu, greatest %lu, popped", counter, greatest);
	for (const struct item *item; (item = pop()) != NULL;)
		put(" %u", item->number);
	put("\n");
	return 0;
}
