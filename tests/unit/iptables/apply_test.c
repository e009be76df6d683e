/* Doing and undoing against programs that only pretend: what is said when a restore fails, when
 * somebody else keeps changing the rules, and when rules come back in another spelling. The real
 * programs are tests/e2e's. */
#include "iptables/apply.h"
#include "iptables/rules.h"
#include "tests/support/t.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static bool left; /* whether the pretended IPv4 rules were there at the end */
static const char *const names[] = {
    "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore", "now", "in", "in6"};

static void path_of(const char *name, char *out, size_t room)
{
    snprintf(out, room, "%s/%s", folder, name);
}

static void write_script(const char *name, const char *body)
{
    char path[64];
    path_of(name, path, sizeof(path));
    FILE *f = fopen(path, "w");
    T_ASSERT(f != NULL, "%s", path);
    fprintf(f, "#!/bin/sh\ncd %s || exit 9\n%s\n", folder, body);
    fclose(f);
    T_ASSERT(chmod(path, 0755) == 0);
}

static void remove_folder(void)
{
    char path[64];
    path_of("now", path, sizeof(path));
    left = access(path, F_OK) == 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_of(names[i], path, sizeof(path));
        unlink(path);
    }
    rmdir(folder);
}

/* Runs an installation of both families with these four programs. */
static enum err install(const char *save4, const char *restore4, const char *save6,
                        const char *restore6, struct diag *d)
{
    static struct ipt_job job;
    char program[64];
    struct arena *a = arena_new(65536, SIZE_MAX);
    const struct ipt_options o = {
        .uid = {true, 1337},
        .egress_port = 15001,
        .ipv6 = IPT_IPV6_ON,
        .wait_s = 1,
        .iptables = program
    };
    snprintf(folder, sizeof(folder), "/tmp/weft-apply-XXXXXX");
    T_EXPECT(mkdtemp(folder) != NULL);
    path_of("iptables", program, sizeof(program));
    write_script("iptables-save", save4);
    write_script("iptables-restore", restore4);
    write_script("ip6tables-save", save6);
    write_script("ip6tables-restore", restore6);
    signal(SIGPIPE, SIG_IGN);
    log_set_all(LOG_OFF);
    *d = (struct diag){0};
    enum err e = ipt_job_prepare(&o, a, &job, d);
    if (e == OK)
        e = ipt_job_apply(&job, d);
    arena_free(&a);
    remove_folder();
    return e;
}

#define NOTHING "true"
/* A family with one table, kept in a file: what is fed to install is what is read back. */
#define SAVE "test ! -e now || cat now"
#define RESTORE "cat >in; if grep -q '^-X' in; then rm now; else mv in now; fi"

T(apply, both_families_are_installed)
{
    struct diag d;
    T_EXPECT_EQ(install(SAVE, RESTORE, "test ! -e in6 || cat in6", "cat >in6", &d), OK, d.msg);
    T_EXPECT(left);
}

T(apply, a_failed_restore_says_why_and_what_is_left)
{
    struct diag d;
    enum err e =
        install(NOTHING, "cat >/dev/null; echo 'line 3 failed' >&2; exit 2", NOTHING, NOTHING, &d);
    T_EXPECT_EQ(e, E_IO, d.msg);
    T_EXPECT_SV(sv_str(d.msg),
                SV("iptables-restore exited with 2: line 3 failed; the former rules are in place"),
                "");
}

T(apply, the_first_family_goes_back_when_the_second_fails)
{
    struct diag d;
    enum err e = install(SAVE, RESTORE, NOTHING, "cat >/dev/null; echo bad >&2; exit 7", &d);
    T_EXPECT_EQ(e, E_IO, "");
    T_EXPECT_SV(sv_str(d.msg),
                SV("ip6tables-restore exited with 7: bad; the former rules are in place"), "");
    T_EXPECT(!left);
}

T(apply, what_cannot_go_back_is_said)
{
    struct diag d;
    enum err e = install(SAVE, "cat >in; grep -q '^-X' in && exit 5; mv in now", NOTHING,
                         "cat >/dev/null; echo bad >&2; exit 7", &d);
    T_EXPECT_EQ(e, E_IO, "");
    T_EXPECT_SV(
        sv_str(d.msg),
        SV("ip6tables-restore exited with 7: bad; putting the former rules back failed too "
           "(iptables-restore exited with 5: ): rules may be left, remove them with --clean"),
        "");
    T_EXPECT(left);
}

T(apply, a_restore_without_effect_is_not_success)
{
    struct diag d;
    T_EXPECT_EQ(install(NOTHING, "cat >/dev/null", NOTHING, NOTHING, &d), E_CONFLICT, d.msg);
    T_EXPECT(strstr(d.msg, "somebody else keeps changing the ipv4 rules") != NULL, "%s", d.msg);
}

T(apply, another_spelling_is_accepted)
{
    struct diag d;
    enum err e = install("test ! -e now || sed 's/-p tcp/-p 6/' now", "grep -v '^-D' >now",
                         "test ! -e in6 || cat in6", "cat >in6", &d);
    T_EXPECT_EQ(e, OK, d.msg);
}

T(apply, rules_that_cannot_be_read_stop_everything)
{
    struct diag d;
    enum err e = install("echo no >&2; exit 4", NOTHING, NOTHING, NOTHING, &d);
    T_EXPECT_EQ(e, E_IO, "");
    T_EXPECT_SV(sv_str(d.msg), SV("the ipv4 rules cannot be read: iptables-save exited with 4: no"),
                "v4");
    e = install(NOTHING, NOTHING, "echo no >&2; exit 4", NOTHING, &d);
    T_EXPECT_EQ(e, E_IO, "");
    T_EXPECT_SV(sv_str(d.msg),
                SV("the ipv6 rules cannot be read: ip6tables-save exited with 4: no"), "v6");
}
