#include "shop/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENY(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(nr), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

bool
confine_to_open_files(void)
{
#ifdef ARCH
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
		/* the x32 numbers are another way to the same calls */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		DENY(__NR_open), DENY(__NR_creat), DENY(__NR_fork), DENY(__NR_vfork), DENY(__NR_unlink), DENY(__NR_rename),
		DENY(__NR_chmod), DENY(__NR_chown), DENY(__NR_mkdir), DENY(__NR_symlink), DENY(__NR_link),
#endif
		DENY(__NR_openat), DENY(__NR_unlinkat), DENY(__NR_renameat2), DENY(__NR_linkat), DENY(__NR_symlinkat), DENY(__NR_mkdirat),
		DENY(__NR_fchmodat), DENY(__NR_fchownat), DENY(__NR_execve), DENY(__NR_execveat), DENY(__NR_clone), DENY(__NR_socket),
		DENY(__NR_socketpair), DENY(__NR_connect), DENY(__NR_bind), DENY(__NR_ptrace), DENY(__NR_process_vm_readv),
		DENY(__NR_process_vm_writev), DENY(__NR_bpf), DENY(__NR_mount), DENY(__NR_keyctl), DENY(__NR_userfaultfd),
		DENY(__NR_perf_event_open), DENY(__NR_kill), DENY(__NR_tgkill), DENY(__NR_setrlimit), DENY(__NR_prlimit64),
#ifdef __NR_clone3
		DENY(__NR_clone3),
#endif
#ifdef __NR_openat2
		DENY(__NR_openat2),
#endif
#ifdef __NR_io_uring_setup
		DENY(__NR_io_uring_setup),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { (unsigned short)(sizeof(rules) / sizeof(rules[0])), rules };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
	return false;
#endif
}
