// The judge's side of random blocks: a program for QEMU's user mode. It reads blocks from standard input, runs each one
// from the state that comes with it, and writes the state after.
//
// Code lies at a fixed address, so that what depends on it is the same everywhere. A block ends with a branch to
// `after_block`, or with a signal.

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { WORDS = 32, WINDOW = 8192 };
static volatile uint32_t *const code = (uint32_t *)0x80000000;
static uint8_t *const window = (uint8_t *)0x80008000;

struct state {
  uint64_t x[31], sp, nzcv, fpcr, fpsr, signal;
  uint64_t v[64];
};

struct record {
  struct state state;
  uint32_t words[WORDS];
  uint8_t window[WINDOW];
};

struct state area __attribute__((aligned(16)));
uint64_t saved[16] __attribute__((aligned(16)));
static sigjmp_buf back;
static struct record record;

void run_block(void);
extern uint32_t after_block[];
__asm__(
    ".text\n.balign 4096\n.globl run_block\nrun_block:\n"
    "adrp x0, saved\nadd x0, x0, :lo12:saved\n"
    "stp x19, x20, [x0]\nstp x21, x22, [x0, 16]\nstp x23, x24, [x0, 32]\nstp x25, x26, [x0, 48]\n"
    "stp x27, x28, [x0, 64]\nstp x29, x30, [x0, 80]\nmov x1, sp\nmrs x2, tpidr_el0\nstp x1, x2, [x0, 96]\n"
    "clrex\nadrp x30, area\nadd x30, x30, :lo12:area\n"
    "ldr x0, [x30, 248]\nmov sp, x0\nldr x0, [x30, 256]\nmsr nzcv, x0\n"
    "add x1, x30, 288\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "ldr q\\n, [x1], 16\n.endr\n"
    "ldr x0, [x30, 264]\nmsr fpcr, x0\nldr x0, [x30, 272]\nmsr fpsr, x0\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n"
    "ldr x\\n, [x30, 8 * \\n]\n.endr\n"
    "ldr x30, [x30, 240]\nb block_code\n"
    ".globl after_block\nafter_block:\n"
    "msr tpidr_el0, x30\nadrp x30, area\nadd x30, x30, :lo12:area\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n"
    "str x\\n, [x30, 8 * \\n]\n.endr\n"
    "mrs x0, tpidr_el0\nstr x0, [x30, 240]\nmov x0, sp\nstr x0, [x30, 248]\n"
    "mrs x0, nzcv\nstr x0, [x30, 256]\nmrs x0, fpcr\nstr x0, [x30, 264]\nmrs x0, fpsr\nstr x0, [x30, 272]\n"
    "msr fpcr, xzr\nadd x1, x30, 288\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "str q\\n, [x1], 16\n.endr\n"
    "adrp x0, saved\nadd x0, x0, :lo12:saved\nldp x1, x2, [x0, 96]\nmov sp, x1\nmsr tpidr_el0, x2\n"
    "ldp x19, x20, [x0]\nldp x21, x22, [x0, 16]\nldp x23, x24, [x0, 32]\nldp x25, x26, [x0, 48]\n"
    "ldp x27, x28, [x0, 64]\nldp x29, x30, [x0, 80]\nret\n");

static void caught(int number) {
  area.signal = number;
  siglongjmp(back, 1);
}

static void handle(void) {
  static uint8_t stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, 0);
  struct sigaction action = {.sa_handler = caught, .sa_flags = SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGSEGV};
  for (unsigned i = 0; i < 4; i++) sigaction(signals[i], &action, 0);
}

int main(void) {
  const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
  mmap((void *)code, 0x10000, all, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  handle();
  while (fread(&record, sizeof record, 1, stdin) == 1) {
    int count = 0;
    while (count < WORDS && record.words[count] != 0xffffffff) count++;
    for (int i = 0; i < count; i++) code[i] = record.words[i];
    const int64_t distance = (int64_t)after_block - (int64_t)&code[count];
    code[count] = 0x14000000 | ((uint64_t)(distance >> 2) & 0x3ffffff);
    __builtin___clear_cache((char *)code, (char *)&code[count + 1]);
    memcpy(window, record.window, WINDOW);
    area = record.state;
    if (sigsetjmp(back, 0) == 0) run_block();
    fwrite(&area, sizeof area, 1, stdout);
    fwrite(window, WINDOW, 1, stdout);
  }
  return 0;
}
