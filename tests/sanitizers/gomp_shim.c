/* What the thread sanitizer cannot see of OpenMP, told to it.

   libgomp is not compiled for the sanitizer, so it does not know that a region begins after what came before it and ends
   before what follows: correct code would be reported. This library is preloaded, takes the place of GOMP_parallel, the
   one entry point that kernels/parallel.pyx compiles to, and says so at the beginning and end of each region. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

typedef void (*region_t)(void *data);

struct team {
    region_t region;
    void *data;
    char begun, ended;       /* only their addresses matter */
};

static void member(void *argument)
{
    struct team *team = argument;
    __tsan_acquire(&team->begun);
    team->region(team->data);
    __tsan_release(&team->ended);
}

void GOMP_parallel(region_t region, void *data, unsigned threads, unsigned flags)
{
    static void (*libgomp)(region_t, void *, unsigned, unsigned);
    struct team team = {region, data, 0, 0};
    if (libgomp == NULL)
        *(void **) &libgomp = dlsym(RTLD_NEXT, "GOMP_parallel");
    if (libgomp == NULL)
        abort();
    __tsan_release(&team.begun);
    libgomp(member, &team, threads, flags);
    __tsan_acquire(&team.ended);
}
