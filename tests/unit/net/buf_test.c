/* Slab chain: stories about ownership and sharing, a random run of several bufs against plain byte
 * arrays, and every allocation failing. That nothing is left behind is checked by slab_pool_free,
 * which aborts when a slab is still lent. */
#include "base/rng.h"
#include "net/buf.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"

static unsigned done_count;

static void count_done(void *arg)
{
    done_count += *(unsigned *)arg;
}

static unsigned one = 1;

/* All bytes of b, gathered through buf_iov. */
static struct sv gather(const struct buf *b, char *room, size_t n)
{
    struct iovec iov[64];
    size_t count = buf_iov(b, iov, ARRAY_LEN(iov)), at = 0;

    for (size_t i = 0; i < count && at + iov[i].iov_len <= n; i++) {
        T_EXPECT(iov[i].iov_len != 0, "an empty view");
        memcpy(room + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    return sv_of(room, at);
}

#define EXPECT_BUF(b, want, row)                                                                   \
    do {                                                                                           \
        char room_[512];                                                                           \
        T_EXPECT_EQ((b)->n, (want).n, row);                                                        \
        T_EXPECT_SV(gather(b, room_, sizeof room_), want, row);                                    \
        T_EXPECT(((b)->n == 0) == ((b)->first == NULL) && ((b)->n == 0) == ((b)->last == NULL));   \
    } while (0)

T(buf, adds_and_drains)
{
    struct slab_pool *p = slab_pool_new(8, 4);
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    EXPECT_BUF(&b, SV(""), "new");
    T_EXPECT_EQ(buf_add(p, &b, SV_NONE), OK, "nothing");
    EXPECT_BUF(&b, SV(""), "an empty buf owns nothing");
    T_EXPECT_EQ(buf_add(p, &b, SV("hello ")), OK, "within a slab");
    T_EXPECT_EQ(buf_add(p, &b, SV("wide, wide world")), OK, "over several");
    EXPECT_BUF(&b, SV("hello wide, wide world"), "all");
    buf_drain(p, &b, 0);
    buf_drain(p, &b, 3);
    EXPECT_BUF(&b, SV("lo wide, wide world"), "part of a slab");
    buf_drain(p, &b, 5);
    EXPECT_BUF(&b, SV("de, wide world"), "to the end of one");
    buf_drain(p, &b, 10);
    EXPECT_BUF(&b, SV("orld"), "more than one");
    T_EXPECT_EQ(buf_add(p, &b, SV("!")), OK, "behind");
    EXPECT_BUF(&b, SV("orld!"), "behind");
    buf_drain(p, &b, 5);
    EXPECT_BUF(&b, SV(""), "all gone");
    T_EXPECT_EQ(buf_add(p, &b, SV("again")), OK, "again");
    buf_clear(p, &b);
    EXPECT_BUF(&b, SV(""), "cleared");
    slab_pool_free(&p);
    T_EXPECT(p == NULL);
    slab_pool_free(&p);
}

T(buf, fills_slabs)
{
    struct slab_pool *p = slab_pool_new(16, 4);
    struct iovec iov[8];
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    for (int i = 0; i < 40; i++)
        T_EXPECT_EQ(buf_add(p, &b, SV("x")), OK, "one byte");
    T_EXPECT_EQ(buf_iov(&b, iov, 8), 3, "40 bytes in slabs of 16");
    T_EXPECT_EQ(buf_iov(&b, iov, 2), 2, "no more than asked for");
    T_EXPECT_EQ(buf_iov(&b, iov, 0), 0, "none");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, needs_no_malloc_in_steady_state)
{
    struct slab_pool *p = slab_pool_new(64, 8);
    struct buf a, b;
    char text[200];

    T_ASSERT(p != NULL);
    buf_init(&a);
    buf_init(&b);
    memset(text, 't', sizeof text);
    for (int round = 0; round < 50; round++) {
        if (round == 1)
            failmalloc_at(0); /* counts from here */
        T_EXPECT_EQ(buf_add(p, &a, sv_of(text, sizeof text)), OK, "add");
        T_EXPECT_EQ(buf_ref(p, &a, SV("foreign"), NULL, NULL), OK, "ref");
        T_EXPECT_EQ(buf_move_n(p, &b, &a, 100), OK, "move");
        buf_move(&b, &a);
        T_EXPECT(buf_peek(p, &b, 50).p != NULL);
        buf_drain(p, &b, b.n);
    }
    T_EXPECT_EQ(failmalloc_count(), 0, "allocations after the first round");
    slab_pool_free(&p);
}

T(buf, pool_keeps_no_more_than_told)
{
    struct slab_pool *p = slab_pool_new(8, 1);
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    T_EXPECT_EQ(buf_add(p, &b, SV("four slabs of 8 bytes are needed")), OK, "add");
    buf_clear(p, &b);
    failmalloc_at(0);
    T_EXPECT_EQ(buf_add(p, &b, SV("four slabs of 8 bytes are needed")), OK, "add");
    T_EXPECT_EQ(failmalloc_count(), 3, "one slab was kept, and the views");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, large_blocks_go_back_to_malloc)
{
    struct slab_pool *p = slab_pool_new(8, 8);
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    T_EXPECT_EQ(buf_add(p, &b, SV("four slabs of 8 bytes are needed")), OK, "add");
    T_EXPECT_EQ(buf_peek(p, &b, 32).n, 32, "in one block");
    buf_clear(p, &b);
    failmalloc_at(0);
    T_EXPECT_EQ(buf_add(p, &b, SV("now it takes five of those slabs of 8")), OK, "add");
    T_EXPECT_EQ(failmalloc_count(), 1, "four were kept, the block was not");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, refers_to_foreign_bytes)
{
    static const char text[] = "foreign bytes";
    struct slab_pool *p = slab_pool_new(8, 4);
    struct iovec iov[4];
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    done_count = 0;
    T_EXPECT_EQ(buf_add(p, &b, SV("a")), OK, "add");
    T_EXPECT_EQ(buf_ref(p, &b, sv_of(text, 13), count_done, &one), OK, "ref");
    T_EXPECT_EQ(buf_add(p, &b, SV("z")), OK, "add");
    EXPECT_BUF(&b, SV("aforeign bytesz"), "all");
    T_EXPECT(buf_iov(&b, iov, 4) == 3 && iov[1].iov_base == text, "no copy");
    buf_drain(p, &b, 13);
    T_EXPECT_EQ(done_count, 0, "one byte is left");
    EXPECT_BUF(&b, SV("sz"), "rest");
    buf_drain(p, &b, 1);
    T_EXPECT_EQ(done_count, 1, "the last one left");
    T_EXPECT_EQ(buf_ref(p, &b, SV(""), count_done, &one), OK, "nothing");
    T_EXPECT_EQ(done_count, 2, "done at once");
    T_EXPECT_EQ(buf_ref(p, &b, SV("x"), count_done, &one), OK, "ref");
    T_EXPECT_EQ(buf_ref(p, &b, SV("y"), NULL, NULL), OK, "nobody to tell");
    EXPECT_BUF(&b, SV("zxy"), "all");
    buf_clear(p, &b);
    T_EXPECT_EQ(done_count, 3, "cleared");
    slab_pool_free(&p);
}

T(buf, moves_without_copying)
{
    struct slab_pool *p = slab_pool_new(8, 4);
    struct iovec before[4], after[4];
    struct buf a, b;

    T_ASSERT(p != NULL);
    buf_init(&a);
    buf_init(&b);
    buf_move(&a, &b);
    EXPECT_BUF(&a, SV(""), "nothing");
    T_EXPECT_EQ(buf_add(p, &a, SV("one")), OK, "a");
    T_EXPECT_EQ(buf_add(p, &b, SV("twotwotwo")), OK, "b");
    T_EXPECT_EQ(buf_iov(&b, before, 4), 2, "b");
    buf_move(&a, &b);
    EXPECT_BUF(&b, SV(""), "source");
    EXPECT_BUF(&a, SV("onetwotwotwo"), "target");
    T_EXPECT_EQ(buf_iov(&a, after, 4), 3, "views");
    T_EXPECT(after[1].iov_base == before[0].iov_base && after[2].iov_base == before[1].iov_base);
    buf_move(&b, &a);
    EXPECT_BUF(&b, SV("onetwotwotwo"), "to an empty one");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, splits_without_copying)
{
    static const size_t cuts[] = {0, 1, 7, 8, 9, 16, 19, 20, 99};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct slab_pool *p = slab_pool_new(8, 4);
        struct sv text = SV("abcdefghijklmnopqrst");
        size_t cut = cuts[i] < text.n ? cuts[i] : text.n;
        struct iovec first[4], moved[4];
        struct buf a, b;
        T_ASSERT(p != NULL);
        buf_init(&a);
        buf_init(&b);
        T_EXPECT_EQ(buf_add(p, &a, text), OK, "add");
        buf_iov(&a, first, 4);
        T_EXPECT_EQ(buf_move_n(p, &b, &a, cuts[i]), OK, "split");
        EXPECT_BUF(&b, sv_of(text.p, cut), "front");
        EXPECT_BUF(&a, sv_skip(text, cut), "rest");
        if (cut != 0)
            T_EXPECT(buf_iov(&b, moved, 4) > 0 && moved[0].iov_base == first[0].iov_base);
        /* Both may grow now, and neither writes over the other. */
        T_EXPECT_EQ(buf_add(p, &a, SV("AAAA")), OK, "grow");
        T_EXPECT_EQ(buf_add(p, &b, SV("BBBB")), OK, "grow");
        buf_move(&b, &a);
        char want[64];
        memcpy(want, text.p, cut);
        memcpy(want + cut, "BBBB", 4);
        memcpy(want + cut + 4, text.p + cut, text.n - cut);
        memcpy(want + text.n + 4, "AAAA", 4);
        EXPECT_BUF(&b, sv_of(want, text.n + 8), "joined");
        buf_clear(p, &b);
        slab_pool_free(&p);
    }
}

T(buf, splits_foreign_bytes)
{
    struct slab_pool *p = slab_pool_new(8, 4);
    struct buf a, b;

    T_ASSERT(p != NULL);
    buf_init(&a);
    buf_init(&b);
    done_count = 0;
    T_EXPECT_EQ(buf_ref(p, &a, SV("foreign"), count_done, &one), OK, "ref");
    T_EXPECT_EQ(buf_move_n(p, &b, &a, 3), OK, "split");
    buf_clear(p, &a);
    T_EXPECT_EQ(done_count, 0, "the front is still there");
    EXPECT_BUF(&b, SV("for"), "front");
    buf_clear(p, &b);
    T_EXPECT_EQ(done_count, 1, "both gone");
    slab_pool_free(&p);
}

T(buf, peeks)
{
    struct slab_pool *p = slab_pool_new(8, 4);
    struct iovec iov[8];
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    struct sv s = buf_peek(p, &b, 10);
    T_EXPECT(s.p != NULL && s.n == 0, "nothing there, which is not a failure");
    T_EXPECT_EQ(buf_add(p, &b, SV("abcdefghijklmnopqrstuvwxyz")), OK, "add");
    buf_iov(&b, iov, 8);
    s = buf_peek(p, &b, 5);
    T_EXPECT_SV(s, SV("abcde"), "within the first slab");
    T_EXPECT(s.p == iov[0].iov_base, "no copy");
    T_EXPECT_SV(buf_peek(p, &b, 0), SV(""), "none");
    T_EXPECT_SV(buf_peek(p, &b, 20), SV("abcdefghijklmnopqrst"), "over slabs");
    EXPECT_BUF(&b, SV("abcdefghijklmnopqrstuvwxyz"), "unchanged");
    T_EXPECT_SV(buf_peek(p, &b, 99), SV("abcdefghijklmnopqrstuvwxyz"), "all there is");
    T_EXPECT_EQ(buf_iov(&b, iov, 8), 1, "one piece");
    T_EXPECT(buf_peek(p, &b, SIZE_MAX).n == 26);
    T_EXPECT_EQ(buf_add(p, &b, SV("!")), OK, "grows on");
    EXPECT_BUF(&b, SV("abcdefghijklmnopqrstuvwxyz!"), "grown");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, peeked_bytes_may_be_written_to)
{
    static const char text[] = "READ ONLY"; /* writing here would fault */
    struct slab_pool *p = slab_pool_new(64, 4);
    struct buf b;

    T_ASSERT(p != NULL);
    buf_init(&b);
    done_count = 0;
    T_EXPECT_EQ(buf_ref(p, &b, sv_of(text, 9), count_done, &one), OK, "ref");
    struct sv s = buf_peek(p, &b, 4);
    T_EXPECT_SV(s, SV("READ"), "peek");
    ((char *)(uintptr_t)s.p)[0] = 'r';
    EXPECT_BUF(&b, SV("rEAD ONLY"), "in the buf");
    T_EXPECT_SV(sv_str(text), SV("READ ONLY"), "not in the original");
    s = buf_peek(p, &b, 9);
    T_EXPECT_SV(s, SV("rEAD ONLY"), "all");
    T_EXPECT_EQ(done_count, 1, "all copied");
    buf_clear(p, &b);
    slab_pool_free(&p);
}

T(buf, growing_peeks_stay_linear)
{
    enum { TOTAL = 20000 };
    struct slab_pool *p = slab_pool_new(64, 4);
    struct buf b;
    size_t moves = 0;
    const char *last = NULL;

    T_ASSERT(p != NULL);
    buf_init(&b);
    for (size_t i = 0; i < TOTAL; i++)
        T_ASSERT(buf_add(p, &b, SV("x")) == OK);
    for (size_t want = 1; want <= TOTAL; want++) {
        struct sv s = buf_peek(p, &b, want);
        T_ASSERT(s.n == want);
        moves += s.p != last;
        last = s.p;
    }
    /* 64, 128, ... 32768: each move copies what the ones before did, together. */
    T_EXPECT(moves <= 11, "%zu moves", moves);
    buf_clear(p, &b);
    slab_pool_free(&p);
}

/* The model: bufs beside byte arrays. */
enum { BUFS = 3, BYTES_MAX = 4000, STEPS = 40000 };
static struct buf bufs[BUFS];
static struct {
    char p[BYTES_MAX];
    size_t n;
} model[BUFS];
static unsigned refs_given;

static void check(size_t i)
{
    struct iovec iov[BYTES_MAX];
    size_t count = buf_iov(&bufs[i], iov, BYTES_MAX), at = 0;

    T_ASSERT(bufs[i].n == model[i].n);
    for (size_t k = 0; k < count; k++) {
        T_ASSERT(iov[k].iov_len != 0 && at + iov[k].iov_len <= model[i].n);
        T_ASSERT(memcmp(iov[k].iov_base, model[i].p + at, iov[k].iov_len) == 0, "buf %zu", i);
        at += iov[k].iov_len;
    }
    T_ASSERT(at == model[i].n);
}

static void model_move(size_t to, size_t from, size_t n)
{
    memcpy(model[to].p + model[to].n, model[from].p, n);
    model[to].n += n;
    model[from].n -= n;
    memmove(model[from].p, model[from].p + n, model[from].n);
}

static void random_add(struct slab_pool *p, struct rng *r, size_t i)
{
    static char text[300]; /* foreign bytes: written before the first reference only */
    static bool filled;
    size_t n = rng_below(r, rng_below(r, 4) == 0 ? sizeof text : 20);
    size_t from = rng_below(r, sizeof text - n);

    for (size_t k = 0; !filled && k < sizeof text; k++)
        text[k] = (char)('a' + rng_below(r, 26));
    filled = true;
    if (model[i].n + n > BYTES_MAX)
        return;
    if (rng_below(r, 3) == 0) {
        T_ASSERT(buf_ref(p, &bufs[i], sv_of(text + from, n), count_done, &one) == OK);
        refs_given++;
    } else {
        T_ASSERT(buf_add(p, &bufs[i], sv_of(text + from, n)) == OK);
    }
    memcpy(model[i].p + model[i].n, text + from, n);
    model[i].n += n;
}

static void random_peek(struct slab_pool *p, struct rng *r, size_t i)
{
    size_t want = rng_below(r, rng_below(r, 3) == 0 ? model[i].n + 20 : 60);
    size_t have = want < model[i].n ? want : model[i].n;
    struct sv s = buf_peek(p, &bufs[i], want);

    T_ASSERT(s.p != NULL && s.n == have && memcmp(s.p, model[i].p, have) == 0);
    if (have != 0) {
        size_t at = rng_below(r, have);
        ((char *)(uintptr_t)s.p)[at] = model[i].p[at] = (char)('A' + rng_below(r, 26));
    }
}

static void random_step(struct slab_pool *p, struct rng *r)
{
    size_t i = rng_below(r, BUFS), other = (i + 1 + rng_below(r, BUFS - 1)) % BUFS;
    size_t n = rng_below(r, model[i].n + 1), fits = BYTES_MAX - model[other].n;

    switch (rng_below(r, 12)) {
    case 0:
        if (model[i].n <= fits) {
            buf_move(&bufs[other], &bufs[i]);
            model_move(other, i, model[i].n);
        }
        break;
    case 1:
    case 2:
        if (n <= fits) {
            T_ASSERT(buf_move_n(p, &bufs[other], &bufs[i], n) == OK);
            model_move(other, i, n);
        }
        break;
    case 3:
    case 4:
        buf_drain(p, &bufs[i], n);
        model[i].n -= n;
        memmove(model[i].p, model[i].p + n, model[i].n);
        break;
    case 5:
    case 6:
        random_peek(p, r, i);
        break;
    default:
        random_add(p, r, i);
        break;
    }
    check(i);
    check(other);
}

T(buf, behaves_like_an_array)
{
    static const size_t slab_bytes[] = {1, 16, 100, 4096};
    for (size_t s = 0; s < ARRAY_LEN(slab_bytes); s++) {
        struct slab_pool *p = slab_pool_new(slab_bytes[s], 8);
        struct rng r;
        T_ASSERT(p != NULL);
        rng_seed(&r, s);
        done_count = refs_given = 0;
        for (size_t i = 0; i < BUFS; i++) {
            buf_init(&bufs[i]);
            model[i].n = 0;
        }
        for (size_t step = 0; step < STEPS / ARRAY_LEN(slab_bytes); step++)
            random_step(p, &r);
        for (size_t i = 0; i < BUFS; i++)
            buf_clear(p, &bufs[i]);
        T_EXPECT_EQ(done_count, refs_given, "each done once");
        slab_pool_free(&p);
    }
}

/* Adds to b; what it holds afterwards is `text` once more or, on failure, unchanged. */
static void add_or_not(struct slab_pool *p, struct buf *b, struct sv text, bool failing)
{
    size_t before = b->n;
    enum err e = buf_add(p, b, text);
    T_EXPECT(e == OK || (failing && e == E_NOMEM));
    T_EXPECT_EQ(b->n, e == OK ? before + text.n : before, "all or nothing");
}

static void scenario(bool failing)
{
    struct slab_pool *p = slab_pool_new(8, 1);
    struct buf a, b;

    T_EXPECT(p != NULL || failing);
    if (p == NULL)
        return;
    buf_init(&a);
    buf_init(&b);
    add_or_not(p, &a, SV("abc"), failing);
    add_or_not(p, &a, SV("a long text that needs several slabs"), failing);
    done_count = 0;
    size_t before = a.n;
    enum err e = buf_ref(p, &a, SV("foreign"), count_done, &one);
    T_EXPECT(e == OK || (failing && e == E_NOMEM));
    T_EXPECT_EQ(a.n, e == OK ? before + 7 : before, "ref");
    T_EXPECT_EQ(done_count, e != OK, "done is called on failure");

    size_t all = a.n;
    e = buf_move_n(p, &b, &a, 9);
    T_EXPECT(e == OK || (failing && e == E_NOMEM));
    T_EXPECT(a.n + b.n == all && (e == OK || b.n == 0));

    struct sv s = buf_peek(p, &a, 30);
    T_EXPECT(s.p != NULL || failing);
    T_EXPECT(a.n + b.n == all);
    buf_clear(p, &a);
    buf_clear(p, &b);
    T_EXPECT_EQ(done_count, 1, "done once");
    slab_pool_free(&p);
}

T(buf, survives_each_failed_allocation)
{
    T_EXPECT(failmalloc_each(scenario) >= 8);
}
