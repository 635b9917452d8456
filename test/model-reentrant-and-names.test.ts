import { exploreSchedules } from './model/schedules.js';

exploreSchedules('reentrant mutex');
exploreSchedules('names');
