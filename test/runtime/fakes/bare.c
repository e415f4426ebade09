/* A shared object without the query symbol. */
int nothing_of_interest(void);
int nothing_of_interest(void) { return 0; }
