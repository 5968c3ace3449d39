/* Preloaded into a process: CPUID tells of fewer instructions than the processor has, up to those of $HIDE_ABOVE
 * (`avx2`, `avx` or `sse`), so that every library takes the code that it has for such a processor.
 *
 * The kernel can make CPUID fault (arch_prctl, a feature of Intel's server processors and of some of AMD's); the
 * handler asks the processor, takes bits away, and goes on behind the instruction. What the loader chose before this
 * library (the C library's own functions) is left: GLIBC_TUNABLES is for that. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define BIT(n) (1u << (n))

static int without_avx2, without_avx;

static void ask(unsigned leaf, unsigned part, unsigned *a, unsigned *b, unsigned *c, unsigned *d) {
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1UL);
    __cpuid_count(leaf, part, *a, *b, *c, *d);
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0UL);
    if (leaf == 7 && part == 0) { /* AVX-512 in all its parts, AMX */
        *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
        *c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));
        *d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
    }
    if (leaf == 7 && part == 1) { /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA; AVX-VNNI-INT8 and -INT16, AVX10 */
        *a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23));
        *d &= ~(BIT(4) | BIT(5) | BIT(10) | BIT(19));
    }
    if (without_avx2 && leaf == 7 && part == 0) *b &= ~BIT(5);
    if (without_avx2 && leaf == 1) *c &= ~(BIT(12) | BIT(29)); /* FMA, F16C */
    if (without_avx && leaf == 1) *c &= ~BIT(28);
}

static void faulted(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    (void)info;
    if (code[0] != 0x0f || code[1] != 0xa2) { /* no CPUID: a fault of the program's own */
        signal(number, SIG_DFL);
        return;
    }
    unsigned a, b, c, d;
    ask((unsigned)registers[REG_RAX], (unsigned)registers[REG_RCX], &a, &b, &c, &d);
    registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
    const char *level = getenv("HIDE_ABOVE");
    struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (level == NULL) return;
    without_avx = strcmp(level, "sse") == 0;
    without_avx2 = without_avx || strcmp(level, "avx") == 0;
    if (sigaction(SIGSEGV, &action, NULL) != 0 || syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0UL) != 0) {
        fprintf(stderr, "CPUID cannot be made to fault here\n");
        _exit(99);
    }
}
