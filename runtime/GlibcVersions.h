/* Binds the functions that glibc 2.32 to 2.34 moved or renewed to their oldest versions, so that a runtime
 * built on a new system loads on one with glibc 2.28. Include in every file that calls them; a test reads the
 * symbol table.
 *
 * A sanitizer defines its own versions of these functions, which a bound reference would pass by.
 */
#ifndef TORSH_RUNTIME_GLIBCVERSIONS_H
#define TORSH_RUNTIME_GLIBCVERSIONS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TORSH_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TORSH_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(TORSH_SANITIZED)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask,pthread_sigmask@GLIBC_2.2.5");
__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dlclose,dlclose@GLIBC_2.2.5");
__asm__(".symver dlerror,dlerror@GLIBC_2.2.5");
#endif

#endif
