/* A load generator and its server, speaking frames that look like Kafka's. Loopback only.
 *
 *   load server PORT                    serve until killed
 *   load bulk PORT SECONDS              64 KiB frames one way; bytes a second
 *   load trip PORT SECONDS SIZE         one frame there and back at a time; p50, p99 in us
 *   load pipe PORT FRAMES SIZE          frames pipelined, 14-byte replies; frames a second
 *   load conn PORT SECONDS              connect, one round trip, close; connections a second
 *
 * request = size i32 | key i16 | version i16 | correlation i32 | client i16 (-1) | want u8 | filler
 * reply   = size i32 | correlation i32 | filler          want: 0 none, 1 short, 2 as long as asked
 * Every result is one JSON line on standard output; `count` is how many MB, trips, frames or
 * connections it is about.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 15, SHORT = 14, ROOM = 1 << 19 };

static void fail(const char *what) { perror(what); exit(1); }

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put32(unsigned char *at, uint32_t value) { value = htonl(value); memcpy(at, &value, 4); }
static uint32_t get32(const unsigned char *at) { uint32_t v; memcpy(&v, at, 4); return ntohl(v); }

static void request(unsigned char *at, uint32_t size, uint32_t correlation, int want) {
    put32(at, size - 4);
    memcpy(at + 4, "\0\0\0\3", 4); /* Produce v3 */
    put32(at + 8, correlation);
    memcpy(at + 12, "\377\377", 2);
    at[14] = (unsigned char)want;
}

static int send_all(int sock, const unsigned char *data, size_t size) {
    while (size) {
        ssize_t n = send(sock, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        data += n, size -= (size_t)n;
    }
    return 0;
}

static int take_all(int sock, unsigned char *data, size_t size) {
    while (size) {
        ssize_t n = recv(sock, data, size, 0);
        if (n <= 0) return -1;
        data += n, size -= (size_t)n;
    }
    return 0;
}

static void *serve(void *argument) {
    int sock = (int)(intptr_t)argument, one = 1;
    unsigned char *in = malloc(ROOM), *out = calloc(1, 2 * ROOM);
    size_t have = 0, made = 0, skip = 0;
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (;;) {
        ssize_t n = recv(sock, in + have, ROOM - have, 0);
        if (n <= 0) break;
        have += (size_t)n;
        size_t at = 0;
        while (at < have) {
            if (skip) {
                size_t step = skip < have - at ? skip : have - at;
                skip -= step, at += step;
                continue;
            }
            if (have - at < HEAD) break;
            uint32_t size = get32(in + at) + 4;
            int want = in[at + 14];
            if (want) {
                uint32_t back = want == 1 ? SHORT : size;
                put32(out + made, back - 4);
                memcpy(out + made + 4, in + at + 8, 4);
                made += back;
                if (made > ROOM) {
                    if (send_all(sock, out, made)) goto over;
                    made = 0;
                }
            }
            skip = size;
        }
        memmove(in, in + at, have - at);
        have -= at;
        if (made && send_all(sock, out, made)) break;
        made = 0;
    }
over:
    close(sock);
    free(in);
    free(out);
    return NULL;
}

static int server(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 512)) fail("listen");
    puts("ready");
    for (;;) {
        int sock = accept(listener, NULL, NULL);
        pthread_t thread;
        if (sock >= 0 && !pthread_create(&thread, NULL, serve, (void *)(intptr_t)sock))
            pthread_detach(thread);
    }
}

static int join(int port) {
    int sock = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(sock, (void *)&at, sizeof at)) fail("connect");
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return sock;
}

static void bulk(int port, double limit) {
    enum { SIZE = 65536 };
    unsigned char *data = calloc(1, SIZE), reply[SHORT];
    int sock = join(port);
    double began = seconds(), now;
    uint64_t total = 0;
    request(data, SIZE, 1, 0);
    while ((now = seconds()) - began < limit) {
        if (send_all(sock, data, SIZE)) fail("send");
        total += SIZE;
    }
    request(data, SIZE, 2, 1); /* its reply says that all before it has arrived */
    if (send_all(sock, data, SIZE) || take_all(sock, reply, SHORT)) fail("end");
    double mb = (double)(total + SIZE) / 1e6;
    printf("{\"MB/s\": %.1f, \"count\": %.3f}\n", mb / (seconds() - began), mb);
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void trip(int port, double limit, uint32_t size) {
    enum { MOST = 2000000, WARM = 200 };
    unsigned char *data = calloc(1, size), *reply = malloc(size);
    double *took = malloc(MOST * sizeof *took), began = seconds();
    size_t count = 0, done = 0;
    int sock = join(port);
    while (count < MOST && seconds() - began < limit) {
        double from = seconds();
        request(data, size, (uint32_t)done, 2);
        if (send_all(sock, data, size) || take_all(sock, reply, size)) fail("trip");
        if (++done > WARM) took[count++] = seconds() - from;
    }
    qsort(took, count, sizeof *took, rising);
    printf("{\"p50 us\": %.2f, \"p99 us\": %.2f, \"count\": %zu}\n", took[count / 2] * 1e6,
           took[count * 99 / 100] * 1e6, done);
}

static void pipeline(int port, uint32_t frames, uint32_t size) {
    uint32_t run = 65536 / size ? 65536 / size : 1, sent = 0;
    unsigned char *data = calloc(run, size), *reply = malloc(ROOM);
    size_t left = 0, at = 0;
    uint64_t heard = 0, wanted = (uint64_t)frames * SHORT;
    int sock = join(port);
    double began = seconds();
    while (heard < wanted) {
        if (!left && sent < frames) {
            uint32_t now = run < frames - sent ? run : frames - sent;
            for (uint32_t i = 0; i < now; i++) request(data + (size_t)i * size, size, sent + i, 1);
            sent += now, left = (size_t)now * size, at = 0;
        }
        struct pollfd ready = {sock, (short)(POLLIN | (left ? POLLOUT : 0)), 0};
        if (poll(&ready, 1, -1) < 0) fail("poll");
        if (ready.revents & POLLIN) {
            ssize_t n = recv(sock, reply, ROOM, MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN)) fail("recv");
            if (n > 0) heard += (uint64_t)n;
        }
        if (left && ready.revents & POLLOUT) {
            ssize_t n = send(sock, data + at, left, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) fail("send");
            if (n > 0) at += (size_t)n, left -= (size_t)n;
        }
    }
    printf("{\"frames/s\": %.0f, \"count\": %u}\n", frames / (seconds() - began), frames);
}

static void churn(int port, double limit) {
    struct linger reset = {1, 0}; /* no TIME_WAIT: it is not the ports that are measured */
    unsigned char data[64] = {0}, reply[SHORT];
    double began = seconds();
    size_t count = 0;
    for (; seconds() - began < limit; count++) {
        int sock = join(port);
        request(data, sizeof data, (uint32_t)count, 1);
        if (send_all(sock, data, sizeof data) || take_all(sock, reply, SHORT)) fail("conn");
        setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(sock);
    }
    printf("{\"connections/s\": %.0f, \"count\": %zu}\n", (double)count / (seconds() - began), count);
}

int main(int count, char **words) {
    if (count < 3) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *what = words[1];
    int port = atoi(words[2]);
    double first = count > 3 ? atof(words[3]) : 0;
    uint32_t size = count > 4 ? (uint32_t)atoi(words[4]) : 64;
    if (!strcmp(what, "server")) return server(port);
    if (!strcmp(what, "bulk")) bulk(port, first);
    else if (!strcmp(what, "trip")) trip(port, first, size);
    else if (!strcmp(what, "pipe")) pipeline(port, (uint32_t)first, size);
    else if (!strcmp(what, "conn")) churn(port, first);
    else return 2;
    return 0;
}
